// A scene is a pure function of a song's signals and a time: what is seen live is what is exported.

import type { Grid } from "../signals/grid.ts";
import type { Input, SignalKind } from "../signals/signal.ts";

export type Canvas = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** A place of a scene that a signal is bound to. */
export interface Slot {
  readonly id: string;
  readonly name: string;
  /** "curve" takes any signal; "events" wants a list of what happens. */
  readonly kind: SignalKind;
  /** The signal that it has by default, such as "drums.kick" or "vocals.pitch". */
  readonly signal: string;
  /** What it has instead in a song without that: a song in two stems has no kick. */
  readonly otherwise?: string;
  /** Whether it lights so much of the picture that the limiter of flashes has to watch it. */
  readonly flash?: true;
}

/** How large a picture is, and what is around it. */
export interface View {
  readonly width: number;
  readonly height: number;
  /** Share of the height, at the bottom, that is covered. */
  readonly inset: number;
  /** Whether there is no background, for what is laid over a film. */
  readonly transparent: boolean;
  /** Whether less is to move. */
  readonly still: boolean;
}

export interface Frame extends View {
  /** In seconds. */
  readonly time: number;
  /** Of the song, in seconds. */
  readonly duration: number;
  /** The song's beats and bars. */
  readonly grid: Grid;
  /** A slot's signal. An empty slot is silent: 0, null and nothing. */
  input(slot: string): Input;
}

export interface Scene {
  readonly id: string;
  readonly name: string;
  /** One line that says what is seen. */
  readonly about: string;
  readonly slots: readonly Slot[];
  draw(canvas: Canvas, frame: Frame): void;
}
