// Who is signed in, with their jobs and uploads, as values that views follow. Everything that a sign-in brings is
// released with it.

import { computed, signal } from "@preact/signals";
import { Auth, type User } from "../api/auth.ts";
import { Client, ENDED, type Job } from "../api/client.ts";
import { type Config, readConfig } from "../api/config.ts";
import { Live, type LiveState } from "../api/live.ts";
import { tellOfEnds } from "../api/notices.ts";
import { type Upload, Uploads } from "../api/uploads.ts";
import { Scope } from "../scope.ts";
import { stemsOf } from "./library/row.ts";
import { routeOf } from "./route.ts";
import { settings } from "./settings.ts";
import { toast } from "./toasts.ts";

/** "starting": it is not known yet whether somebody is signed in. "closed": nobody can sign in here. */
export type SessionState = "starting" | "closed" | "out" | "in";

/** What somebody who is signed in has. */
export interface Desk {
  readonly client: Client;
  readonly live: Live;
  readonly uploads: Uploads;
}

export const state = signal<SessionState>("starting");
export const config = signal<Config | null>(null);
export const user = signal<User | null>(null);
export const desk = signal<Desk | null>(null);
export const jobs = signal<readonly Job[]>([]);
export const uploads = signal<readonly Upload[]>([]);
export const live = signal<LiveState>("connecting");
/** How news comes, in words. */
export const liveWords = computed(
  () =>
    ({
      live: "Live",
      connecting: "Connecting",
      polling: "Live is off, looking every 5 s",
      offline: "You are offline",
    })[live.value],
);
/** Signed out by the service, in the middle of work. */
export const lost = signal(false);

export const openJobs = computed(() => jobs.value.filter(({ status }) => !ENDED.has(status)));

let auth: Auth | null = null;
let leaving = false;
let scope: Scope | null = null;

/** Find out whether somebody is signed in. Call it once. */
export async function start(): Promise<void> {
  try {
    config.value = await readConfig();
  } catch {
    state.value = "closed"; // the built-in song plays all the same
    return;
  }
  auth = new Auth(config.value.login);
  auth.onChange(follow);
  if (!auth.possible) {
    state.value = "closed";
    return;
  }
  try {
    // The address is another one then, of which nothing else tells.
    if (await auth.returned()) dispatchEvent(new HashChangeEvent("hashchange"));
  } catch (error) {
    toast({ title: "Signing in did not work", text: error instanceof Error ? error.message : String(error) });
  }
  follow();
}

/** Go to sign in, and come back to a place of the page. */
export async function signIn(fragment: string = location.hash): Promise<void> {
  const place = routeOf(fragment).view === "welcome" ? "#/library" : fragment;
  try {
    await auth?.signIn(place);
  } catch (error) {
    toast({ title: "Signing in cannot be had now", text: error instanceof Error ? error.message : String(error) });
  }
}

export async function signOut(): Promise<void> {
  leaving = true;
  await auth?.signOut();
}

/** What is shown when somebody is asked to sign in. */
export const words = computed(() =>
  lost.value ? "You were signed out. Sign in and this page is as you left it." : "",
);

function follow(): void {
  const now = auth?.user ?? null;
  if (now?.id === user.peek()?.id && state.peek() !== "starting") return;
  lost.value = user.peek() !== null && now === null && !leaving;
  scope?.close();
  scope = null;
  user.value = now;
  if (now && auth && config.peek()) open(now, auth, config.peek() as Config);
  else {
    desk.value = null;
    jobs.value = [];
    uploads.value = [];
  }
  state.value = now ? "in" : "out";
}

function open(owner: User, tokens: Auth, { api, live: address }: Config): void {
  const here = new Scope();
  scope = here;
  const client = new Client(api, tokens);
  const feed = new Live({ client, tokens, address, scope: here });
  const sending = new Uploads({ client, jobs: feed.jobs, owner: owner.id, scope: here });
  const listed = gathered(() => {
    jobs.value = feed.jobs.all;
    uploads.value = sending.all;
  });
  here.add(feed.jobs.onChange(listed));
  here.add(sending.onChange(listed));
  here.add(
    feed.onState(() => {
      live.value = feed.state;
    }),
  );
  here.add(feed.jobs.onChange(tellHere));
  here.add(
    tellOfEnds(feed.jobs, headline, (job) => {
      location.hash = job.status === "completed" ? `#/song/${job.id}/stage` : "#/library";
    }),
  );
  addEventListener(
    "online",
    () => {
      feed.wake();
      sending.wake();
    },
    { signal: here.signal },
  );
  desk.value = { client, live: feed, uploads: sending };
  live.value = feed.state;
  void sending.resume();
}

/** Run something once for all that happens in a moment. */
function gathered(run: () => void): () => void {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    queueMicrotask(() => {
      due = false;
      run();
    });
  };
}

/** "Night Bus is apart." */
export function headline(job: Job): string {
  return job.status === "completed" ? `${titleOf(job)} is apart` : `${titleOf(job)} failed`;
}

/** A job's title: its own, or its file's name without what it ends with. */
export function titleOf(job: Job): string {
  return job.title || job.source.filename;
}

function tellHere(job: Job | null, before: Job | null): void {
  if (!job || !before || before.status === job.status || document.hidden) return;
  if (job.status !== "completed") return;
  const seconds = (Date.parse(job.completedAt ?? "") - Date.parse(job.createdAt)) / 1000;
  toast({
    title: headline(job),
    ...(Number.isFinite(seconds) ? { text: `Ready in ${Math.round(seconds)} s` } : {}),
    song: job.id,
    stems: stemsOf(job),
  });
}

/** Whether to ask if the browser may tell when a song is done. */
export const mayAsk = computed(() => settings.value.notify === null);
