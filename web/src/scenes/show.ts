// A scene with a song's signals in its slots: what the stage, its small pictures and a video all draw.

import { bodyOf } from "../bodies.ts";
import { parts, wordsOf } from "../signals/catalogue.ts";
import { type Input, nothing } from "../signals/signal.ts";
import type { Signals } from "../signals/signals.ts";
import { type Inputs, limited, stilled } from "./limiter.ts";
import type { Canvas, Scene, Slot, View } from "./scene.ts";

/** The signals of a scene's slots, by slot; null for one that is to be empty. Those left out have their default. */
export type Bindings = Readonly<Record<string, string | null>>;

export interface Options {
  /** Whether flashes are limited. Off only where a person turned it off. */
  readonly limit: boolean;
}

export interface Show {
  readonly scene: Scene;
  /** A slot's signal as the picture gets it. */
  input(slot: string): Input;
  draw(canvas: Canvas, time: number, view: View): void;
}

/** Put a song's signals into a scene. */
export function show(scene: Scene, signals: Signals, bindings: Bindings, { limit }: Options): Show {
  const bound = new Map(scene.slots.map((slot) => [slot.id, inputOf(slot, signals, bindings)]));
  const inputs = limit ? limited(scene.slots, bound) : bound;
  const still = stilled(scene.slots, bound, limit);
  const { duration } = signals.song;
  const { grid } = signals;
  const from = (inputs: Inputs) => (slot: string) => inputs.get(slot) ?? nothing("other");
  return {
    scene,
    input: from(inputs),
    draw(canvas, time, view) {
      canvas.save();
      canvas.clearRect(0, 0, view.width, view.height);
      scene.draw(canvas, { ...view, time, duration, grid, input: from(view.still ? still : inputs) });
      canvas.restore();
    },
  };
}

/** The signal that a slot is bound to; null if it is to be empty. */
export function boundTo(slot: Slot, bindings: Bindings, signals: Signals): string | null {
  const signal = Object.hasOwn(bindings, slot.id) ? bindings[slot.id] : undefined;
  return signal === undefined ? defaultOf(slot, signals) : signal;
}

/** The signal that a slot has in this song if nobody says otherwise. */
export function defaultOf({ signal, otherwise }: Slot, signals: Signals): string {
  const has = (id: string) => signals.find(id) !== null;
  return otherwise !== undefined && !has(signal) && has(otherwise) ? otherwise : signal;
}

/** The bindings with a signal in a slot, or why that cannot be. */
export function rebind(
  scene: Scene,
  slotId: string,
  signal: string | null,
  signals: Signals,
  bindings: Bindings,
): { readonly bindings: Bindings } | { readonly refused: string } {
  const slot = scene.slots.find(({ id }) => id === slotId);
  if (!slot) return { refused: `${scene.name} has no such slot.` };
  if (signal !== null) {
    if (signals.find(signal) === null) return { refused: `This song has no ${wordsOf(signal)}.` };
    if (slot.kind === "events" && signals.input(signal).kind !== "events") {
      return { refused: `${slot.name} wants hits or notes; ${wordsOf(signal)} is a curve.` };
    }
  }
  return { bindings: { ...bindings, [slotId]: signal } };
}

function inputOf(slot: Slot, signals: Signals, bindings: Bindings): Input {
  const id = boundTo(slot, bindings, signals);
  const home = bodyOf(parts(slot.signal).stem);
  if (id === null) return nothing(home);
  const input = signals.input(id);
  // A preset may put anything anywhere: what does not fit leaves the slot empty.
  return slot.kind === "events" && input.kind !== "events" ? nothing(home) : input;
}
