// Curves as signals. What is loud in one song is soft in another, so a level goes from 0 to 1 by its own song.

import type { Body } from "../bodies.ts";
import type { Field } from "./curves.ts";
import type { Happening, Input } from "./signal.ts";

const DECIBELS = 32; // below its loudest, a level is 0
const BEND = 0.75; // of loudness to the eye: 6 dB less look 0.6 as high
const SILENT = -60; // dBFS that are never reached by a stem in which there is nothing

abstract class Curve implements Input {
  readonly kind = "curve";
  readonly body: Body;
  abstract readonly empty: boolean;
  readonly pitched: boolean = false;
  readonly range: readonly [number, number] = [60, 61];

  constructor(body: Body) {
    this.body = body;
  }

  abstract value(seconds: number): number;

  pitch(_seconds: number): number | null {
    return null;
  }
  events(): readonly Happening[] {
    return [];
  }
  phase(): number {
    return 0;
  }
}

/** A curve in dBFS: 1 is as loud as the stem gets, 0 is 32 dB below that or softer. */
export class Level extends Curve {
  readonly empty: boolean;
  readonly #field: Field;
  readonly #top: number;
  readonly #decibels: number;

  constructor(body: Body, field: Field) {
    super(body);
    const { low, high } = field.scale;
    this.#field = field;
    this.#top = field.quantile(0.995);
    this.#decibels = high - low;
    this.empty = low + this.#top * (high - low) < SILENT;
  }

  value(seconds: number): number {
    if (this.empty) return 0;
    const below = (this.#field.between(seconds) - this.#top) * this.#decibels;
    return below <= -DECIBELS ? 0 : Math.min(1, 10 ** ((BEND * below) / 20));
  }
}

/** A curve that is a share already: how strongly something begins, or is played. */
export class Share extends Curve {
  readonly empty: boolean;
  readonly #field: Field;

  constructor(body: Body, field: Field) {
    super(body);
    this.#field = field;
    this.empty = !field.sounds;
  }

  value(seconds: number): number {
    return this.#field.between(seconds);
  }
}

/** A curve without a natural end - a pitch, a frequency - from the lowest to the highest of the song. */
export class Span extends Curve {
  readonly empty: boolean;
  override readonly pitched: boolean;
  override readonly range: readonly [number, number];
  readonly #field: Field;

  constructor(body: Body, field: Field, pitched: boolean) {
    super(body);
    const { low, high } = field.scale;
    const lowest = field.quantile(0.02);
    const highest = field.quantile(0.98);
    this.#field = field;
    this.pitched = pitched;
    this.empty = highest <= 0;
    this.range = [low + lowest * (high - low), low + Math.max(highest, lowest + 1 / (high - low)) * (high - low)];
  }

  value(seconds: number): number {
    const at = this.#at(seconds);
    return at === null ? 0 : clamp((at - this.range[0]) / (this.range[1] - this.range[0]));
  }

  override pitch(seconds: number): number | null {
    return this.pitched ? this.#at(seconds) : null;
  }

  #at(seconds: number): number | null {
    const share = this.#field.at(seconds);
    const { low, high } = this.#field.scale;
    return share === null ? null : low + share * (high - low);
  }
}

/** The loudest of several curves. */
export class Loudest extends Curve {
  readonly #inputs: readonly Input[];

  constructor(body: Body, inputs: readonly Input[]) {
    super(body);
    this.#inputs = inputs;
  }

  get empty(): boolean {
    return this.#inputs.every((input) => input.empty);
  }

  value(seconds: number): number {
    return this.#inputs.reduce((most, input) => Math.max(most, input.value(seconds)), 0);
  }
}

/** Of several curves, that of the stem that is loudest at the time; pitches share one range. */
export class Foremost extends Curve {
  override readonly pitched: boolean;
  override readonly range: readonly [number, number];
  readonly #inputs: readonly Input[];
  readonly #levels: readonly (Input | null)[];

  /**
   * @param inputs At least one.
   * @param levels How loud the stem of each is; null where that is not known.
   */
  constructor(body: Body, inputs: readonly Input[], levels: readonly (Input | null)[]) {
    super(body);
    this.#inputs = inputs;
    this.#levels = levels;
    const ranges = inputs.filter(({ empty, pitched }) => pitched && !empty).map(({ range }) => range);
    this.pitched = ranges.length > 0;
    this.range = this.pitched
      ? [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))]
      : [60, 61];
  }

  get empty(): boolean {
    return this.#inputs.every((input) => input.empty);
  }

  value(seconds: number): number {
    if (!this.pitched) return this.#at(seconds)?.value(seconds) ?? 0;
    const pitch = this.pitch(seconds);
    return pitch === null ? 0 : clamp((pitch - this.range[0]) / (this.range[1] - this.range[0]));
  }

  override pitch(seconds: number): number | null {
    return this.#at(seconds)?.pitch(seconds) ?? null;
  }

  #at(seconds: number): Input | undefined {
    let [loudest, most] = [0, -1];
    this.#inputs.forEach((input, place) => {
      // A stem that has no pitch now leaves it to one that has.
      if (this.pitched && input.pitch(seconds) === null) return;
      const level = this.#levels[place]?.value(seconds) ?? 0;
      if (level > most) [loudest, most] = [place, level];
    });
    return this.#inputs[loudest];
  }
}

/** Whatever a function of time gives, from 0 to 1. */
export class Computed extends Curve {
  readonly empty = false;
  readonly #compute: (seconds: number) => number;

  constructor(body: Body, compute: (seconds: number) => number) {
    super(body);
    this.#compute = compute;
  }

  value(seconds: number): number {
    return clamp(this.#compute(seconds));
  }
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
