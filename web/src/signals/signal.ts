// A signal is one thing that a song does in time: what a picture can follow.

import type { Body } from "../bodies.ts";

/** A value at each time, or a list of what happens. */
export type SignalKind = "curve" | "events";

/** Something that happens at a time. */
export interface Happening {
  /** In seconds. */
  readonly t: number;
  /** How long, in seconds; 0 for a hit. */
  readonly d: number;
  /** How strongly, 0 to 1. */
  readonly v: number;
  /** Its pitch as a note of MIDI; null where it has none. */
  readonly note: number | null;
  /** What it is: "kick" of drums; of the song's notes, whose body plays it; empty else. */
  readonly kind: string;
}

/** A signal as a picture asks for it. */
export interface Input {
  /** Whose light it is. */
  readonly body: Body;
  readonly kind: SignalKind;
  /** Whether there is nothing in it: an empty slot, a stem that this song has not, or silence. */
  readonly empty: boolean;
  /** Whether it has pitches, as notes and a voice have. */
  readonly pitched: boolean;
  /** The lowest and the highest pitch in the song, as notes of MIDI. */
  readonly range: readonly [low: number, high: number];
  /** From 0 to 1; of events the strength of the last ones, fading out. */
  value(seconds: number): number;
  /** A pitch as a note of MIDI, with fractions; null where there is none. */
  pitch(seconds: number): number | null;
  /** What begins, or still lasts, from `start` to before `end`, in the order of time. */
  events(start: number, end: number): readonly Happening[];
  /** How many events have begun, and the share of the way to the next. */
  phase(seconds: number): number;
}

/** What a person is told of a signal. */
export interface Signal {
  /** The stem and the field: "drums.kick". */
  readonly id: string;
  /** The stem's name; "song" for what is all stems'. */
  readonly stem: string;
  readonly body: Body;
  /** In a word or two: "kick". */
  readonly name: string;
  readonly kind: SignalKind;
  /** Whether there is nothing of it in this song. */
  readonly silent: boolean;
  /** Whether it is one of the finer ones, that may be folded away. */
  readonly fine: boolean;
}

/** Nothing, in the place of a signal. */
export function nothing(body: Body): Input {
  return {
    body,
    kind: "curve",
    empty: true,
    pitched: false,
    range: [60, 61],
    value: () => 0,
    pitch: () => null,
    events: () => [],
    phase: () => 0,
  };
}

/** The place of the first item whose time is after `seconds`, in a list in the order of time. */
export function after(items: readonly { readonly t: number }[], seconds: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle]?.t ?? Number.POSITIVE_INFINITY) <= seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}
