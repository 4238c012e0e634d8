// What a job is called, and which stems are its own.

import type { Job } from "../api/client.ts";
import { inLanes } from "../bodies.ts";

/** "Night Bus is apart." */
export function headline(job: Job): string {
  return job.status === "completed" ? `${titleOf(job)} is apart` : `${titleOf(job)} failed`;
}

/** A job's title: its own, or its file's name. */
export function titleOf(job: Job): string {
  return job.title || job.source.filename;
}

/** The stems that a job has or will have, in the order of lanes; before a MIDI is read, the song alone. */
export function stemsOf({ source, results, config }: Job): string[] {
  const made = Object.keys(results?.stems ?? {});
  if (source.kind === "stems") return inLanes((source.stems ?? []).map(({ name }) => name));
  if (source.kind === "midi") return made.length ? inLanes(made) : ["song"];
  const wanted = config.stems ?? {};
  return inLanes(Object.keys(wanted).filter((name) => wanted[name]));
}
