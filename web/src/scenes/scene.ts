// A scene is a pure function of a song's signals and a time: what is seen live is what is exported.

import type { Body } from "../bodies.ts";

/** What a slot is given: a curve, or a list of events. */
export type SlotKind = "curve" | "events";

/** A place of a scene that a signal is bound to. */
export interface Slot {
  readonly id: string;
  readonly name: string;
  readonly kind: SlotKind;
  /** The signal that it has by default, such as "drums.kick" or "vocals.pitch". */
  readonly signal: string;
}

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
  /** What it is, as "kick" of drums; empty else. */
  readonly kind: string;
}

/** A slot's signal while a picture is drawn. An empty slot is silent: 0, null and nothing. */
export interface Input {
  /** Whose light it is. */
  readonly body: Body;
  /** From 0 to 1; of events the strength of the last, fading out. */
  value(seconds: number): number;
  /** A pitch as a note of MIDI, with fractions; null where there is none. */
  pitch(seconds: number): number | null;
  /** What begins, or still lasts, from `start` to `end`, in the order of time. */
  events(start: number, end: number): readonly Happening[];
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  /** In seconds. */
  readonly time: number;
  /** Of the song, in seconds. */
  readonly duration: number;
  /** Share of the height, at the bottom, that is covered. */
  readonly inset: number;
  /** Whether there is no background, for what is laid over a film. */
  readonly transparent: boolean;
  /** Whether less is to move. */
  readonly still: boolean;
  /** A slot's signal. */
  input(slot: string): Input;
  /** Beats of the song from `start` to `end`. */
  beats(start: number, end: number): readonly { t: number; bar: number; beat: number }[];
}

export interface Scene {
  readonly id: string;
  readonly name: string;
  /** One line that says what is seen. */
  readonly about: string;
  readonly slots: readonly Slot[];
  draw(canvas: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, frame: Frame): void;
}
