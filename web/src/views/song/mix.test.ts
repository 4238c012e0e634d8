import { expect, test } from "vitest";
import { factorOf, isHeard, type Mix, plainMix, soloist, steppedGain } from "./mix.ts";

const mix = (more: Partial<Record<string, Partial<Mix[string]>>>): Mix => {
  const plain = plainMix(["drums", "vocals", "bass"]);
  return Object.fromEntries(Object.entries(plain).map(([stem, channel]) => [stem, { ...channel, ...more[stem] }]));
};

test("what is heard alone silences the others, and is heard though it is muted", () => {
  const alone = mix({ drums: { solo: true, muted: true }, vocals: {} });
  expect(["drums", "vocals", "bass"].map((stem) => isHeard(alone, stem))).toEqual([true, false, false]);
  expect(soloist(alone)).toBe("drums");
  expect(soloist(mix({ drums: { solo: true }, bass: { solo: true } }))).toBeNull();
});

test("decibels are a factor, and the lowest is silence", () => {
  expect(factorOf(mix({ bass: { gain: -6 } }), "bass")).toBeCloseTo(0.501, 3);
  expect(factorOf(mix({}), "bass")).toBe(1);
  expect(factorOf(mix({ bass: { gain: -60 } }), "bass")).toBe(0);
  expect(factorOf(mix({ bass: { muted: true } }), "bass")).toBe(0);
  expect(factorOf(mix({}), "nobody")).toBe(0);
});

test("gains go by half a decibel, within bounds", () => {
  expect([-0.3, 0.2, 9, -99].map(steppedGain)).toEqual([-0.5, 0, 6, -60]);
});
