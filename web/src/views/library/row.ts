// What a row of the library says of a job, in each of its states: one place, so that rows stand still while jobs move.

import type { Job } from "../../api/client.ts";
import type { Upload } from "../../api/uploads.ts";
import { inLanes } from "../../bodies.ts";
import { type Failure, failureOf } from "../failures.ts";
import { stemsOf, titleOf } from "../job.ts";
import { aheadWords, clock, counted, megabytes, ordinal, size, wait } from "../words.ts";

export type Badge =
  | { readonly kind: "shapes"; readonly stems: readonly string[] }
  | { readonly kind: "place"; readonly place: number }
  | { readonly kind: "split" | "failed" | "midi" };

export type Bar =
  | { readonly kind: "sent" | "split"; readonly share: number }
  | { readonly kind: "queue"; readonly place: number }
  | { readonly kind: "none" | "done" };

/** Which of the filters a row is under. */
export type Group = "open" | "done" | "failed";

export interface Row {
  /** A job's id, or of an upload that is no job yet its key. */
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly group: Group;
  readonly badge: Badge;
  readonly bar: Bar;
  /** What is, and how much is left. */
  readonly state: string;
  readonly tail: string;
  readonly percent: number | null;
  readonly failure: Failure | null;
  /** What it becomes, or is, in the order of lanes. */
  readonly stems: readonly string[];
  /** Stems that can be heard by now. */
  readonly ears: readonly string[];
  readonly job: Job | null;
  readonly upload: Upload | null;
}

/** The rows of the library: uploads that are no jobs yet, then jobs, newest first. */
export function rowsOf(jobs: readonly Job[], uploads: readonly Upload[]): Row[] {
  const known = new Set(jobs.map(({ id }) => id));
  const byJob = new Map(uploads.filter(({ job }) => job).map((upload) => [upload.job, upload]));
  const alone = uploads.filter(({ job, state }) => state !== "done" && (!job || !known.has(job)));
  const places = placesOf(jobs);
  // News of a job may come before the answer to whoever asked for it.
  const asking = new Set(uploads.filter(({ job, state }) => !job && state === "sending").map(({ title }) => title));
  const listed = jobs.filter(
    (job) => job.status !== "awaiting_upload" || byJob.has(job.id) || !asking.has(titleOf(job)),
  );
  return [
    ...alone.toReversed().map((upload) => uploadRow(upload, null)),
    ...listed.map((job) => {
      const upload = byJob.get(job.id);
      if (job.status === "awaiting_upload" && upload) return uploadRow(upload, job);
      return jobRow(job, places.get(job.id) ?? { ahead: 0, isKnown: false });
    }),
  ];
}

/** How many songs come before one; of one's own alone, where the service has not said it of any. */
interface Place {
  readonly ahead: number;
  readonly isKnown: boolean;
}

/** Of songs that are queued, the oldest first. The service is asked of a few; each behind these has one more ahead. */
function placesOf(jobs: readonly Job[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  let before: Place = { ahead: -1, isKnown: false };
  for (const { id, queue } of jobs.filter(({ status }) => status === "queued").toReversed()) {
    before = queue ? { ahead: queue.ahead, isKnown: true } : { ...before, ahead: before.ahead + 1 };
    places.set(id, before);
  }
  return places;
}

const BLANK = {
  percent: null,
  failure: null,
  ears: [] as readonly string[],
  tail: "",
  upload: null,
} as const;

function uploadRow(upload: Upload, job: Job | null): Row {
  const { bytes, sent, speed, secondsLeft, state } = upload;
  const share = bytes > 0 ? sent / bytes : 0;
  const done = `${megabytes(sent)} of ${megabytes(bytes)} MB`;
  const base = {
    ...BLANK,
    id: job?.id ?? upload.key,
    title: job?.title || upload.title,
    about: job ? aboutOf(job) : size(bytes),
    group: "open" as const,
    badge: { kind: "shapes" as const, stems: ["song"] },
    stems: job ? stemsOf(job) : [],
    bar: { kind: "sent" as const, share },
    percent: Math.floor(share * 100),
    job,
    upload,
  };
  if (state === "failed") {
    const { code, message, again } = upload.error ?? { code: "unavailable", message: "", again: null };
    const failure = { ...failureOf({ code, message, again }), remedy: "retry" as const };
    return {
      ...base,
      group: "failed",
      badge: { kind: "failed" },
      state: "Failed",
      bar: { kind: "none" },
      percent: null,
      failure,
    };
  }
  if (state === "paused") {
    const offline = upload.error?.code === "offline";
    const why = offline ? "You are offline" : "Paused";
    return { ...base, state: why, tail: `${done} are safe. It goes on by itself.` };
  }
  if (state === "waiting") return { ...base, state: "Waiting its turn", tail: size(bytes), percent: null };
  if (state === "done") return { ...base, state: "Sent", tail: "Waiting for the service to look at it" };
  const pace = speed ? `, ${megabytes(speed)} MB/s` : "";
  const left = secondsLeft === null ? "" : `, ${wait(secondsLeft)} left`;
  return { ...base, state: "Uploading", tail: done + pace + left };
}

function jobRow(job: Job, { ahead, isKnown }: Place): Row {
  const stems = stemsOf(job);
  const made = inLanes(Object.keys(job.results?.stems ?? {}));
  const base = {
    ...BLANK,
    id: job.id,
    title: titleOf(job),
    about: aboutOf(job),
    stems,
    job,
  };
  const share = job.progress / 100;
  switch (job.status) {
    case "awaiting_upload":
      return {
        ...base,
        group: "open",
        badge: { kind: "shapes", stems: ["song"] },
        bar: { kind: "sent", share: 0 },
        state: "Waiting for its file",
        tail: "It is sent from elsewhere",
      };
    case "queued":
      return {
        ...base,
        group: "open",
        badge: { kind: "place", place: ahead + 1 },
        bar: { kind: "queue", place: ahead + 1 },
        state: isKnown ? aheadWords(ahead) : `${ordinal(ahead + 1)} of yours in the queue`,
        tail: estimate(job, (left) => `done in ${wait(left)} at most`, "no estimate yet"),
      };
    case "processing":
      return {
        ...base,
        group: "open",
        badge: { kind: "split" },
        bar: { kind: "split", share },
        ...stageOf(job, made.length > 0),
        percent: Math.floor(job.progress),
        ears: job.stage === "analysing" ? made : [],
      };
    case "completed":
      return {
        ...base,
        group: "done",
        badge: job.source.kind === "midi" ? { kind: "midi" } : { kind: "shapes", stems },
        bar: { kind: "done" },
        state: "Done",
        tail: job.results?.analysis?.state === "failed" ? "The stems are here. Beats and notes are not." : "",
      };
    case "cancelled":
      return { ...base, group: "failed", badge: { kind: "failed" }, bar: { kind: "none" }, state: "Cancelled" };
    case "failed": {
      const { code, message } = job.error ?? { code: "internal_error", message: "" };
      const variant = job.config.modelVariant;
      return {
        ...base,
        about: failedAfter(job, code),
        group: "failed",
        badge: { kind: "failed" },
        bar: { kind: "none" },
        state: "Failed",
        failure: failureOf({ code, message, ...(variant ? { variant } : {}) }),
      };
    }
  }
}

function stageOf(job: Job, heard: boolean): { state: string; tail: string } {
  const left = (words: string) => estimate(job, (seconds) => `${wait(seconds)} left${words}`, words.replace(/^, /, ""));
  switch (job.stage) {
    case "separating":
      return { state: "Separating", tail: left(job.config.analysis ? ", then beats and notes" : "") };
    case "uploading":
      return { state: "Putting stems away", tail: left("") };
    case "analysing": {
      const here = heard && job.source.kind !== "midi" ? "The stems are here: listen. " : "";
      return { state: "Analysing", tail: here + left("") };
    }
    default:
      return { state: "Opening the file", tail: left("") };
  }
}

function estimate(job: Job, words: (seconds: number) => string, none: string): string {
  const seconds = job.estimatedTimeRemaining;
  return seconds === null || seconds === undefined ? none : words(seconds);
}

function aboutOf(job: Job): string {
  const { kind, stems, durationSeconds } = job.source;
  const length = durationSeconds ? `, ${clock(durationSeconds)}` : "";
  if (kind === "midi") return `MIDI${length}`;
  if (kind === "stems") return `${counted(stems?.length ?? 0, "stem")} of your own${length}`;
  return `Single song, ${counted(stemsOf(job).length, "stem")}${length}`;
}

function failedAfter(job: Job, code: string): string {
  const seconds = (Date.parse(job.completedAt ?? "") - Date.parse(job.startedAt ?? "")) / 1000;
  return Number.isFinite(seconds) ? `Failed after ${wait(seconds)} · ${code}` : `Failed · ${code}`;
}
