// How long jobs of a way take, by what the latest ones took: from when they were made, so that the queue is in it.

import type { Job } from "../../api/client.ts";
import type { Way } from "./loadout.ts";

const LATEST = 5;

/** Seconds from the request to the end, the mean of the latest; null where there are none. */
export function tookLately(jobs: readonly Job[], way: Way): number | null {
  const times = jobs
    .filter(({ status, source }) => status === "completed" && (source.kind ?? "song") === way)
    .slice(0, LATEST)
    .map(({ createdAt, completedAt }) => (Date.parse(completedAt ?? "") - Date.parse(createdAt)) / 1000)
    .filter(Number.isFinite);
  return times.length ? times.reduce((sum, time) => sum + time, 0) / times.length : null;
}
