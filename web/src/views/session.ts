// Who is signed in, with their jobs and uploads, as values that views follow. Everything that a sign-in brings is
// released with it, and what it needs is fetched for it alone: most who look in have not come to sign in.

import { computed, signal } from "@preact/signals";
import type { Auth, User } from "../api/auth.ts";
import type { Job } from "../api/client.ts";
import { type Config, type Login, readConfig } from "../api/config.ts";
import type { LiveState } from "../api/live.ts";
import type { Upload } from "../api/uploads.ts";
import { Scope } from "../scope.ts";
import type { Desk } from "./desk.ts";
import { routeOf } from "./route.ts";
import { toast } from "./toasts.ts";

/** "starting": it is not known yet whether somebody is signed in. "closed": nobody can sign in here. */
export type SessionState = "starting" | "closed" | "out" | "in";

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

let auth: Promise<Auth> | null = null;
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
  const { login } = config.value;
  if (!login) state.value = "closed";
  // An issuer says in the query who has come.
  else if (location.search === "") state.value = "out";
  else await comeBack(login);
}

async function comeBack(login: Login): Promise<void> {
  try {
    const found = await authOf(login);
    // The address is another one then, of which nothing else tells.
    if (await found.returned()) dispatchEvent(new HashChangeEvent("hashchange"));
  } catch (error) {
    toast({ title: "Signing in did not work", text: error instanceof Error ? error.message : String(error) });
  }
  // Whoever it is has been let in by now, or is on the way.
  if (!user.peek()) state.value = "out";
}

/** What signs in and out. */
function authOf(login: Login): Promise<Auth> {
  auth ??= import("../api/auth.ts").then(
    ({ Auth }) => {
      const made = new Auth(login);
      made.onChange(() => follow(made));
      return made;
    },
    (error: unknown) => {
      auth = null; // the next time asks again
      throw error;
    },
  );
  return auth;
}

/** Go to sign in, and come back to a place of the page. */
export async function signIn(fragment: string = location.hash): Promise<void> {
  const place = routeOf(fragment).view === "welcome" ? "#/library" : fragment;
  const login = config.peek()?.login;
  if (!login) return;
  try {
    await (await authOf(login)).signIn(place);
  } catch (error) {
    toast({ title: "Signing in cannot be had now", text: error instanceof Error ? error.message : String(error) });
  }
}

export async function signOut(): Promise<void> {
  leaving = true;
  await (await auth)?.signOut();
}

function follow(tokens: Auth): void {
  const now = tokens.user;
  if (now?.id === user.peek()?.id) return;
  lost.value = user.peek() !== null && now === null && !leaving;
  scope?.close();
  scope = null;
  user.value = now;
  desk.value = null;
  jobs.value = [];
  uploads.value = [];
  const at = config.peek();
  if (now && at) void enter(now, tokens, at);
  else state.value = "out";
}

async function enter(owner: User, tokens: Auth, at: Config): Promise<void> {
  const here = new Scope();
  scope = here;
  try {
    const { openDesk } = await import("./desk.ts");
    if (here.signal.aborted) return;
    const opened = openDesk(owner, tokens, at, here);
    const listed = gathered(() => {
      jobs.value = opened.live.jobs.all;
      uploads.value = opened.uploads.all;
    });
    here.add(opened.live.jobs.onChange(listed));
    here.add(opened.uploads.onChange(listed));
    here.add(
      opened.live.onState(() => {
        live.value = opened.live.state;
      }),
    );
    desk.value = opened;
    live.value = opened.live.state;
    state.value = "in";
  } catch {
    if (here.signal.aborted) return;
    user.value = null;
    state.value = "out";
    toast({
      title: "This part of the page did not come",
      text: "Nobody answered, or there is a newer one. Sign in again.",
    });
  }
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
