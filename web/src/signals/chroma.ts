// Which pitch classes sound, read from the twelve curves that say how much there is of each.

import type { Field } from "./curves.ts";
import type { Happening } from "./signal.ts";

const BEGINS = 0.8; // shares of the strongest one
const ENDS = 0.55;
const SHORTEST = 0.12; // seconds
const LOWEST = 60; // the note that stands for C

/** Stretches in which each pitch class is strong, in the order of time; as strong as `loudness` is then. */
export function chromaEvents(fields: readonly Field[], loudness: (seconds: number) => number): Happening[] {
  const found: Happening[] = [];
  fields.forEach((field, pitchClass) => {
    let begun: number | null = null;
    for (let frame = 0; frame <= field.frames; frame++) {
      const seconds = frame / field.fps;
      const share = frame < field.frames && loudness(seconds) > 0.15 ? (field.at(seconds) ?? 0) : 0;
      if (begun === null && share >= BEGINS) begun = seconds;
      if (begun === null || share >= ENDS) continue;
      if (seconds - begun >= SHORTEST) {
        const v = loudness((begun + seconds) / 2);
        found.push({ t: begun, d: seconds - begun, v, note: LOWEST + pitchClass, kind: "" });
      }
      begun = null;
    }
  });
  return found.sort((one, other) => one.t - other.t);
}
