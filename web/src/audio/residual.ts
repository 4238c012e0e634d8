// How nearly stems rebuild their song: what is left of it when they are taken away, against the song itself.

import type { Channels } from "./mixing.ts";

/** Measures a residual, a few seconds at a time. */
export class Residual {
  #song = 0;
  #left = 0;

  /** Add a piece of the song, and the same piece of its stems' sum. */
  add(song: Channels, stems: Channels): void {
    for (let channel = 0; channel < 2; channel++) {
      const whole = song[channel] as Float32Array;
      const sum = stems[channel] as Float32Array;
      for (let i = 0; i < whole.length; i++) {
        const sample = whole[i] as number;
        const missing = sample - (sum[i] ?? 0);
        this.#song += sample * sample;
        this.#left += missing * missing;
      }
    }
  }

  /** In dB: 0 where the stems have nothing of the song, -Infinity where nothing is left; null if the song is silent. */
  get decibels(): number | null {
    return this.#song === 0 ? null : 10 * Math.log10(this.#left / this.#song);
  }
}
