// Lists of what happens - hits, notes, beats - as signals.

import type { Body } from "../bodies.ts";
import { after, type Happening, type Input } from "./signal.ts";

const FADE = 0.15; // seconds in which a hit fades to a third
const RELEASE = 0.08; // and a note, once it has ended
const HEARD = 12; // events before now that may still be fading

/** Events in the order of time; those that `last` hold their strength for as long, others are strokes. */
export class Events implements Input {
  readonly body: Body;
  readonly kind = "events";
  readonly range: readonly [number, number];
  readonly list: readonly Happening[];
  readonly lasting: boolean;
  /** Of each event and those before it, when the latest ends. */
  readonly #ends: Float64Array;

  constructor(body: Body, list: readonly Happening[], lasting = false) {
    this.body = body;
    this.list = list;
    this.lasting = lasting;
    this.range = rangeOf(list);
    this.#ends = new Float64Array(list.length);
    let end = Number.NEGATIVE_INFINITY;
    list.forEach((event, index) => {
      end = Math.max(end, event.t + event.d);
      this.#ends[index] = end;
    });
  }

  get empty(): boolean {
    return this.list.length === 0;
  }

  get pitched(): boolean {
    return this.list[0] !== undefined && this.list[0].note !== null;
  }

  /** The same signal, with some of its events. */
  only(keep: (event: Happening) => boolean): Events {
    return new Events(this.body, this.list.filter(keep), this.lasting);
  }

  value(seconds: number): number {
    let strongest = 0;
    const last = after(this.list, seconds) - 1;
    for (let index = last; index >= 0 && index > last - HEARD; index--) {
      const event = this.list[index] as Happening;
      const age = seconds - event.t;
      if (!this.lasting && age > 8 * FADE) break;
      strongest = Math.max(strongest, event.v * (this.lasting ? held(age, event.d) : Math.exp(-age / FADE)));
    }
    return strongest;
  }

  pitch(seconds: number): number | null {
    const last = after(this.list, seconds) - 1;
    for (let index = last; index >= 0 && index > last - HEARD; index--) {
      const event = this.list[index] as Happening;
      if (event.note !== null && seconds < event.t + event.d) return event.note;
    }
    return null;
  }

  events(start: number, end: number): readonly Happening[] {
    const found: Happening[] = [];
    for (let index = this.#firstThatLasts(start); index < this.list.length; index++) {
      const event = this.list[index] as Happening;
      if (event.t >= end) break;
      if (event.t >= start || event.t + event.d > start) found.push(event);
    }
    return found;
  }

  phase(seconds: number): number {
    const begun = after(this.list, seconds);
    const last = this.list[begun - 1];
    const next = this.list[begun];
    if (!last || !next) return begun;
    return begun + (seconds - last.t) / Math.max(1e-6, next.t - last.t);
  }

  /** The first event that may last beyond `seconds`: all before it, and those before them, have ended. */
  #firstThatLasts(seconds: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] as number) < seconds) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The pitch of notes as a curve, from the lowest to the highest of the song. */
export class PitchOfNotes implements Input {
  readonly kind = "curve";
  readonly pitched = true;
  readonly #notes: Events;

  constructor(notes: Events) {
    this.#notes = notes;
  }

  get body(): Body {
    return this.#notes.body;
  }
  get empty(): boolean {
    return this.#notes.empty;
  }
  get range(): readonly [number, number] {
    return this.#notes.range;
  }
  value(seconds: number): number {
    const pitch = this.pitch(seconds);
    return pitch === null ? 0 : (pitch - this.range[0]) / (this.range[1] - this.range[0]);
  }
  pitch(seconds: number): number | null {
    return this.#notes.pitch(seconds);
  }
  events(): readonly Happening[] {
    return [];
  }
  phase(): number {
    return 0;
  }
}

/** How strongly a note is heard, `age` seconds after it began. */
function held(age: number, length: number): number {
  const body = 0.55 + 0.45 * Math.exp(-age / 0.3);
  return age <= length ? body : body * Math.exp(-(age - length) / RELEASE);
}

function rangeOf(list: readonly Happening[]): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { note } of list) {
    if (note === null) continue;
    low = Math.min(low, note);
    high = Math.max(high, note);
  }
  return low > high ? [60, 61] : [low, Math.max(high, low + 1)];
}
