// What somebody who is signed in has: the API, their jobs as they change, and their uploads. Fetched once somebody is.

import type { Auth, User } from "../api/auth.ts";
import { Client, type Job } from "../api/client.ts";
import type { Config } from "../api/config.ts";
import { Live } from "../api/live.ts";
import { isNews, tellOfEnds } from "../api/notices.ts";
import { Uploads } from "../api/uploads.ts";
import type { Scope } from "../scope.ts";
import { headline, stemsOf } from "./job.ts";
import { toast } from "./toasts.ts";

export interface Desk {
  readonly client: Client;
  readonly live: Live;
  readonly uploads: Uploads;
}

/** Open it, and go on with uploads that were begun; the scope's end closes it. */
export function openDesk(owner: User, tokens: Auth, { api, live: address }: Config, scope: Scope): Desk {
  const client = new Client(api, tokens);
  const live = new Live({ client, tokens, address, scope });
  const uploads = new Uploads({ client, jobs: live.jobs, owner: owner.id, scope });
  scope.add(
    live.jobs.onChange((job, before) => {
      if (job?.status === "completed" && isNews(job, before, live.jobs.isNew(job)) && !document.hidden) tellHere(job);
    }),
  );
  scope.add(
    tellOfEnds(live.jobs, headline, (job) => {
      location.hash = job.status === "completed" ? `#/song/${job.id}/stage` : "#/library";
    }),
  );
  addEventListener(
    "online",
    () => {
      live.wake();
      uploads.wake();
    },
    { signal: scope.signal },
  );
  void uploads.resume();
  return { client, live, uploads };
}

function tellHere(job: Job): void {
  const seconds = (Date.parse(job.completedAt ?? "") - Date.parse(job.createdAt)) / 1000;
  toast({
    title: headline(job),
    ...(Number.isFinite(seconds) ? { text: `Ready in ${Math.round(seconds)} s` } : {}),
    song: job.id,
    stems: stemsOf(job),
  });
}
