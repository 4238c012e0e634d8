// Beats and bars of a whole song: those that were heard, and on both sides of them the same ones going on, so that a
// picture in bars has bars everywhere.

import { after } from "./signal.ts";
import type { Analysis } from "./song.ts";

export interface Beat {
  /** In seconds. */
  readonly t: number;
  readonly bar: number;
  /** From 1, the downbeat. */
  readonly beat: number;
}

/** A bar, in beats since the grid's first. */
export interface Bar {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

const BEAT = 0.5; // seconds, where a song has none
const SHORTEST = 0.1;

export class Grid {
  readonly #beats: readonly Beat[];
  readonly #downbeats: readonly number[];

  constructor(analysis: Analysis | null, duration: number) {
    const meter = Math.max(1, analysis?.meter ?? 4);
    const heard = analysis && analysis.beats.length > 1 ? analysis.beats : silentBeats();
    this.#beats = extended(heard, meter, duration);
    this.#downbeats = this.#beats.flatMap((beat, index) => (beat.beat === 1 ? [index] : []));
  }

  /** Those from `start` to before `end`. */
  beats(start: number, end: number): readonly Beat[] {
    return this.#beats.slice(this.#from(start), this.#from(end));
  }

  /** Beats since the first of the grid, with the share of the way to the next. */
  place(seconds: number): number {
    const index = Math.min(Math.max(0, after(this.#beats, seconds) - 1), this.#beats.length - 2);
    const { t } = this.#at(index);
    return index + (seconds - t) / (this.#at(index + 1).t - t);
  }

  /** When a place is; the other way of `place`. */
  time(place: number): number {
    const index = Math.min(Math.max(0, Math.floor(place)), this.#beats.length - 2);
    const { t } = this.#at(index);
    return t + (place - index) * (this.#at(index + 1).t - t);
  }

  /** The bar of a time. */
  bar(seconds: number): Bar {
    const place = Math.floor(this.place(seconds) + 1e-6);
    let found = 0;
    let high = this.#downbeats.length;
    while (found < high) {
      const middle = (found + high) >>> 1;
      if ((this.#downbeats[middle] as number) <= place) found = middle + 1;
      else high = middle;
    }
    const start = this.#downbeats[found - 1] ?? 0;
    const end = this.#downbeats[found] ?? this.#beats.length;
    return { number: this.#at(start).bar, start, end: Math.max(end, start + 1) };
  }

  /** Beats a minute, around a time. */
  tempo(seconds: number): number {
    const place = this.place(seconds);
    return (60 * 4) / (this.time(place + 2) - this.time(place - 2));
  }

  #from(seconds: number): number {
    let index = after(this.#beats, seconds);
    while (index > 0 && this.#at(index - 1).t >= seconds) index--;
    return index;
  }

  #at(index: number): Beat {
    return this.#beats[index] as Beat;
  }
}

function silentBeats(): readonly Beat[] {
  return [
    { t: 0, bar: 1, beat: 1 },
    { t: BEAT, bar: 1, beat: 2 },
  ];
}

function extended(heard: readonly Beat[], meter: number, duration: number): readonly Beat[] {
  const first = heard[0] as Beat;
  const last = heard[heard.length - 1] as Beat;
  const opening = Math.max(SHORTEST, (heard[1] as Beat).t - first.t);
  const closing = Math.max(SHORTEST, last.t - (heard[heard.length - 2] as Beat).t);
  const before: Beat[] = [];
  for (let beat = previous(first, meter, opening); beat.t > -meter * opening - opening; ) {
    before.push(beat);
    beat = previous(beat, meter, opening);
  }
  const behind: Beat[] = [];
  for (let beat = next(last, meter, closing); beat.t < duration + (meter + 1) * closing; ) {
    behind.push(beat);
    beat = next(beat, meter, closing);
  }
  return [...before.reverse(), ...heard, ...behind];
}

function previous({ t, bar, beat }: Beat, meter: number, step: number): Beat {
  return beat > 1 ? { t: t - step, bar, beat: beat - 1 } : { t: t - step, bar: bar - 1, beat: meter };
}

function next({ t, bar, beat }: Beat, meter: number, step: number): Beat {
  return beat < meter ? { t: t + step, bar, beat: beat + 1 } : { t: t + step, bar: bar + 1, beat: 1 };
}
