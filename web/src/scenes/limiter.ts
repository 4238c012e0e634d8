// No more than three flashes a second, so that nobody is harmed (WCAG 2.2, 2.3.1). It works on what drives the
// picture and not on its pixels: what it lets through depends on the song alone, so that a video shows what was seen.

import { Events } from "../signals/events.ts";
import type { Happening, Input } from "../signals/signal.ts";
import type { Slot } from "./scene.ts";

const MOST = 3; // flashes
const WINDOW = 1.1; // seconds; a little more than one, for flashes that end where the next begin
const TOGETHER = 0.02; // seconds in which several strokes are one flash
const SOFT = 0.5; // seconds over which a curve is taken

/** Inputs by their slots, of which those that flash are held back. */
export function limited(slots: readonly Slot[], inputs: ReadonlyMap<string, Input>): ReadonlyMap<string, Input> {
  const flashing = slots.filter(({ flash }) => flash).map(({ id }) => id);
  const kept = thinned(flashing.flatMap((id) => listOf(inputs.get(id))));
  const calm = new Map(inputs);
  for (const id of flashing) {
    const input = inputs.get(id);
    if (input) calm.set(id, input instanceof Events ? input.only((event) => kept.has(event)) : new Soft(input, SOFT));
  }
  return calm;
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
