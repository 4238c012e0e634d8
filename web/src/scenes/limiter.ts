// No more than three flashes a second, so that nobody is harmed (WCAG 2.2, 2.3.1). It works on what drives the
// picture and not on its pixels: what it lets through depends on the song alone, so that a video shows what was seen.

import { Events } from "../signals/events.ts";
import type { Happening, Input } from "../signals/signal.ts";
import type { Slot } from "./scene.ts";

const MOST = 3; // flashes
const WINDOW = 1.1; // seconds; a little more than one, for flashes that end where the next begin
const TOGETHER = 0.02; // seconds in which several strokes are one flash
const SOFT = 0.5; // seconds over which a curve is taken
const STILL = 0.8; // and anything, where little is to move

/** Inputs by their slots. */
export type Inputs = ReadonlyMap<string, Input>;

/** Those slots that flash held back: of strokes some are left out, and curves change slowly. */
export function limited(slots: readonly Slot[], inputs: Inputs): Inputs {
  return replaced(slots, sparse(slots, inputs), (input) => (input instanceof Events ? input : new Soft(input, SOFT)));
}

/** The light of a picture in which little is to move: what flashes, swells instead. */
export function stilled(slots: readonly Slot[], inputs: Inputs, limit: boolean): Inputs {
  return replaced(slots, limit ? sparse(slots, inputs) : inputs, (input) => new Soft(input, STILL));
}

/** The strokes of all that flashes thinned out together. */
function sparse(slots: readonly Slot[], inputs: Inputs): Inputs {
  const flashing = slots.filter(({ flash }) => flash);
  const kept = thinned(flashing.flatMap(({ id }) => listOf(inputs.get(id))));
  return replaced(slots, inputs, (input) => (input instanceof Events ? input.only((event) => kept.has(event)) : input));
}

function replaced(slots: readonly Slot[], inputs: Inputs, by: (input: Input) => Input): Inputs {
  const all = new Map(inputs);
  for (const { id, flash } of slots) {
    const input = inputs.get(id);
    if (flash && input) all.set(id, by(input));
  }
  return all;
}

/** Those of all the events that make no more than three flashes in any second: the first ones stay. */
export function thinned(events: readonly Happening[]): ReadonlySet<Happening> {
  const kept = new Set<Happening>();
  const flashes: number[] = [];
  for (const event of events.toSorted((one, other) => one.t - other.t)) {
    const last = flashes.at(-1);
    if (last === undefined || event.t - last > TOGETHER) {
      const third = flashes.at(-MOST);
      if (third !== undefined && event.t - third < WINDOW) continue;
      flashes.push(event.t);
    }
    kept.add(event);
  }
  return kept;
}

function listOf(input: Input | undefined): readonly Happening[] {
  return input instanceof Events ? input.list : [];
}

const STEPS = 12;

/** A signal without what changes faster than `seconds`: its mean around each time, the middle weighing most. */
export class Soft implements Input {
  readonly #input: Input;
  readonly #reach: number;

  constructor(input: Input, seconds: number) {
    this.#input = input;
    this.#reach = seconds;
  }

  get body() {
    return this.#input.body;
  }
  get kind() {
    return this.#input.kind;
  }
  get empty() {
    return this.#input.empty;
  }
  get pitched() {
    return this.#input.pitched;
  }
  get range() {
    return this.#input.range;
  }

  value(seconds: number): number {
    let sum = 0;
    let weights = 0;
    for (let step = -STEPS; step <= STEPS; step++) {
      const weight = STEPS + 1 - Math.abs(step);
      sum += weight * this.#input.value(seconds + (step * this.#reach) / 2 / STEPS);
      weights += weight;
    }
    return sum / weights;
  }
  pitch(seconds: number): number | null {
    return this.#input.pitch(seconds);
  }
  events(start: number, end: number): readonly Happening[] {
    return this.#input.events(start, end);
  }
  phase(seconds: number): number {
    return this.#input.phase(seconds);
  }
}
