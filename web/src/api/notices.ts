// The browser's notification that a song is done, for whoever looks elsewhere. Permission is asked for once, by a
// gesture, and never at the start.

import type { Job } from "./client.ts";
import type { JobList } from "./joblist.ts";

/** Whether to offer it: "ask" shows the browser's question. */
export type Permission = "ask" | "granted" | "denied" | "impossible";

export function permission(): Permission {
  if (!("Notification" in globalThis)) return "impossible";
  return Notification.permission === "default" ? "ask" : Notification.permission;
}

/** Have the browser ask; call it in a click. */
export async function askPermission(): Promise<Permission> {
  if (permission() === "ask") await Notification.requestPermission();
  return permission();
}

/**
 * Whether a change is one to be told of: a job has come to its end. Of one that was not known before, that is so where
 * it was made while the page was open: it may have ended while nothing could be heard.
 */
export function isNews(job: Job, before: Job | null, isNew: boolean): boolean {
  const isEnd = job.status === "completed" || job.status === "failed";
  if (before === null) return isEnd && isNew;
  return isEnd && before.status !== job.status && before.status !== "cancelled";
}

/**
 * Show a notification of each song that is done while the page is not looked at; returns what ends it.
 *
 * @param words The line to show.
 * @param open Called when it is clicked.
 */
export function tellOfEnds(jobs: JobList, words: (job: Job) => string, open: (job: Job) => void): () => void {
  return jobs.onChange((job, before) => {
    if (!job || !isNews(job, before, jobs.isNew(job)) || !document.hidden || permission() !== "granted") return;
    const notice = new Notification(words(job), { tag: job.id, icon: "icon.svg" });
    notice.addEventListener("click", () => {
      window.focus();
      notice.close();
      open(job);
    });
  });
}
