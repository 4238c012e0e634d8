// What a song has to follow, and what each of it is called.

import { BODIES, type Body } from "../bodies.ts";
import type { Track } from "./song.ts";

export type Drum = NonNullable<Track["hits"]>[number]["drum"];

/** What all stems make together is under this name. */
export const SONG = "song";

/** The drums that one word stands for. */
export const DRUMS: Readonly<Record<string, readonly Drum[]>> = {
  kick: ["kick"],
  snare: ["snare"],
  hat: ["closed_hat", "open_hat"],
  tom: ["tom"],
  cymbal: ["crash", "ride"],
};

const NAMES: Readonly<Record<string, string>> = {
  rms: "loudness",
  centroid: "brightness",
  onset: "attack",
  beats: "beat",
  bars: "bar",
};

/** What is folded away first. */
const FINE = new Set(["peak", "onset", "tom", "cymbal"]);

/** The order in which a stem's signals are listed. */
const ORDER = ["beats", "bars", "tempo", "kick", "snare", "hat", "hits", "pitch", "rms", "notes", "onsets", "chroma"];

export function compare(one: string, other: string): number {
  return rank(one) - rank(other);
}

/** In a word or two. */
export function nameOf(field: string): string {
  if (field.startsWith("band_")) return `${Number(field.slice(5))} Hz and up`;
  return NAMES[field] ?? field;
}

export function isFine(field: string): boolean {
  return FINE.has(field) || field.startsWith("band_");
}

/** A signal's two halves. A stem's name may have dots in it, a field's has none. */
export function parts(id: string): { stem: string; field: string } {
  const dot = id.lastIndexOf(".");
  return { stem: id.slice(0, Math.max(0, dot)), field: id.slice(dot + 1) };
}

/** The words for a signal, whether a song has it or not: "Vocals, pitch". */
export function wordsOf(id: string): string {
  const { stem, field } = parts(id);
  return `${stemName(stem)}, ${nameOf(field)}`;
}

/** A stem as a person reads it: "other 2" is "Other 2", what somebody has named is left alone. */
export function stemName(stem: string): string {
  const [body = "", number = ""] = stem.split(/(?= \d+$)/);
  return Object.hasOwn(BODIES, body) ? BODIES[body as Body].name + number : stem;
}

function rank(field: string): number {
  const place = ORDER.indexOf(field);
  return place < 0 ? ORDER.length : place;
}
