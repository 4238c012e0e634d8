// What a failure is in words, and what is to be done: by the error's code, which is all that a program may rely on.

import { Refusal } from "../api/errors.ts";
import { timeOfDay } from "./words.ts";

/** "replace": another file takes its place; "retry": the same again; "fewer": with fewer stems. */
export type Remedy = "replace" | "retry" | "fewer" | null;

export interface Failure {
  /** What is. */
  readonly what: string;
  /** What to do. */
  readonly next: string;
  readonly remedy: Remedy;
}

const OURS: Failure = { what: "That was us.", next: "We tried three times. Your upload is safe.", remedy: "retry" };

const MIDI_ANOTHER = "Export it again as a standard MIDI file, format 0 or 1.";

const FAILURES: Readonly<Record<string, Failure>> = {
  unsupported_media: {
    what: "This is not audio that we can read.",
    next: "WAV, FLAC, MP3, M4A or OGG will do.",
    remedy: "replace",
  },
  no_audio: { what: "There is no sound in this file.", next: "Drop one that has some.", remedy: "replace" },
  empty_file: { what: "The file is empty.", next: "Export it again and drop it here.", remedy: "replace" },
  corrupt_media: {
    what: "Too much of the file is damaged.",
    next: "Export it again and drop it here: it takes this one’s place.",
    remedy: "replace",
  },
  upload_missing: {
    what: "The file never came.",
    next: "Drop it here: it takes this one’s place.",
    remedy: "replace",
  },
  upload_gone: {
    what: "The upload is gone.",
    next: "It was deleted, or kept for as long as files are. Drop it again.",
    remedy: "replace",
  },
  not_midi: { what: "This is not a MIDI file.", next: MIDI_ANOTHER, remedy: "replace" },
  corrupt_midi: { what: "The MIDI file is damaged.", next: MIDI_ANOTHER, remedy: "replace" },
  unsupported_midi: { what: "This kind of MIDI we cannot read.", next: MIDI_ANOTHER, remedy: "replace" },
  midi_too_large: { what: "The MIDI file is too large.", next: "Leave tracks out, or cut it.", remedy: "replace" },
  no_notes: { what: "There are no notes in this file.", next: "Drop one that has some.", remedy: "replace" },
  internal_error: OURS,
  worker_lost: OURS,
  out_of_time: OURS,
  storage_unavailable: OURS,
  undeliverable: {
    what: "No worker took this on.",
    next: "Whoever runs this server needs to look. Your upload is safe.",
    remedy: "retry",
  },
};

/** What a failed job says.
 *
 * `again` is from when on it may be tried again, where that is known. `message` is the service's own, for a person: it has figures that a code has not, and stands in where there are no
 * words here. `variant` is the model that was asked for. */
export function failureOf({ code, message, variant, again = null }: Fault): Failure {
  if (code === "model_missing" || code === "model_damaged") {
    const stems = Number.parseInt(variant ?? "", 10);
    const what = stems ? `This server cannot do ${stems} stems.` : "This server has not that model.";
    const next = "Whoever runs it needs to add the model.";
    return stems > 2 ? { what, next: `2 can go now. ${next}`, remedy: "fewer" } : { what, next, remedy: "retry" };
  }
  if (code === "truncated")
    return {
      what: sentence(message) ?? "The file stops before its end.",
      next: "Export it again and drop it here: it takes this one’s place.",
      remedy: "replace",
    };
  if (code === "too_long" || code === "too_large")
    return {
      what: sentence(message) ?? "That is more than fits.",
      next: code === "too_long" ? "Cut it, or send it as two songs." : "Cut it, or send it as FLAC or MP3.",
      remedy: "replace",
    };
  if (code === "quota_exceeded") return quotaExceeded(message, again);
  if (code === "invalid_midi_options")
    return { what: sentence(message) ?? "These options do not go with this file.", next: "", remedy: "replace" };
  return FAILURES[code] ?? { what: sentence(message) ?? "It failed.", next: `(${code})`, remedy: "retry" };
}

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly variant?: string;
  readonly again?: Date | null;
}

/** Of which allowance there is too little left, in the service's words; and when there is more. */
function quotaExceeded(message: string, again: Date | null): Failure {
  const [what, ...rest] = message.trim().split(/(?<=[.!?])\s+/);
  const next = [...rest, ...(again ? [`Try again after ${timeOfDay(again)}.`] : [])];
  return { what: sentence(what ?? "") ?? "You have taken all that you may.", next: next.join(" "), remedy: "retry" };
}

/** What a refusal says, in one line. */
export function refusalWords(error: unknown): string {
  if (!(error instanceof Refusal)) return error instanceof Error ? error.message : String(error);
  if (error.code !== "quota_exceeded") return error.message;
  const { what, next } = failureOf(error);
  return `${what} ${next}`;
}

/** The first sentence of a message, or null of an empty one. */
function sentence(message: string): string | null {
  const text = message.trim();
  if (!text) return null;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
