// Adding stems up: the one place where it is done, for what is heard, what is saved and what is filmed.

/** The samples of a cell of a stem, left and right. */
export type Channels = readonly [Float32Array, Float32Array];

/** A gain on its way to `target`, by `step` a sample, for `left` more samples. */
export interface Fade {
  now: number;
  target: number;
  step: number;
  left: number;
}

export function constant(gain: number): Fade {
  return { now: gain, target: gain, step: 0, left: 0 };
}

/** Turn a gain towards `target`, which it reaches in `samples`. */
export function turn(fade: Fade, target: number, samples: number): void {
  fade.target = target;
  fade.left = samples;
  fade.step = (target - fade.now) / samples;
}

/**
 * Add `count` samples of a stem to a mix. A gain of 1 that stands still adds them as they are, to the bit; one of 0,
 * nothing.
 *
 * @returns The greatest sample that was added, without its sign.
 */
export function add(
  mix: Channels,
  mixAt: number,
  stem: Channels,
  stemAt: number,
  count: number,
  fade: Readonly<Fade>,
): number {
  if (fade.left === 0 && fade.now === 0) return 0;
  let peak = 0;
  for (let channel = 0; channel < 2; channel++) {
    const into = mix[channel] as Float32Array;
    const from = stem[channel] as Float32Array;
    let gain = fade.now;
    for (let i = 0; i < count; i++) {
      if (i < fade.left) gain += fade.step;
      else gain = fade.target;
      const sample = (from[stemAt + i] as number) * gain;
      into[mixAt + i] = (into[mixAt + i] as number) + sample;
      if (sample > peak) peak = sample;
      else if (-sample > peak) peak = -sample;
    }
  }
  return peak;
}

/** Let a gain go on by `count` samples. */
export function pass(fade: Fade, count: number): void {
  if (fade.left > count) {
    fade.now += fade.step * count;
    fade.left -= count;
  } else {
    fade.now = fade.target;
    fade.left = 0;
  }
}
