import { expect, test } from "vitest";
import { signalsOf } from "../signals/examples.ts";
import type { Happening } from "../signals/signal.ts";
import { SCENES, sceneOf } from "./all.ts";
import { Soft, thinned } from "./limiter.ts";
import { show } from "./show.ts";

const stroke = (t: number): Happening => ({ t, d: 0, v: 1, note: null, kind: "" });

test("of ten strokes a second, three stay in any second", () => {
  const kept = [...thinned(Array.from({ length: 100 }, (_, index) => stroke(index / 10)))].map(({ t }) => t);
  expect(kept.slice(0, 4)).toEqual([0, 0.1, 0.2, 1.1]);
  for (const t of kept) expect(kept.filter((other) => other >= t && other < t + 1).length).toBeLessThanOrEqual(3);
});

test("what is struck together is one flash, and three in a second may be", () => {
  expect(thinned([0, 0.01, 0.4, 0.41, 0.8].map(stroke)).size).toBe(5);
});

test("all that flashes in a scene is counted together", () => {
  const signals = signalsOf("frantic");
  const bound = { blinders: "drums.kick", outer: "bass.onsets", sweep: "vocals.onsets" };
  const limited = show(sceneOf("rig"), signals, bound, { limit: true });
  const free = show(sceneOf("rig"), signals, bound, { limit: false });
  const strokes = ["blinders", "outer", "sweep"].flatMap((slot) => limited.input(slot).events(0, 6)).map(({ t }) => t);
  const flashes = strokes
    .sort((one, other) => one - other)
    .filter((t, index, all) => t - (all[index - 1] ?? -1) > 0.02);
  expect(free.input("blinders").events(0, 6)).toHaveLength(55);
  expect(flashes.length).toBeGreaterThan(9);
  for (const t of flashes) expect(flashes.filter((other) => other >= t && other < t + 1).length).toBeLessThanOrEqual(3);
});

test("a curve that swings ten times a second hardly swings when it is soft", () => {
  const bass = signalsOf("frantic").input("bass.rms");
  const swing = (input: { value(t: number): number }) => {
    const values = Array.from({ length: 240 }, (_, step) => input.value(2 + step / 120));
    return Math.max(...values) - Math.min(...values);
  };
  expect(swing(bass)).toBeGreaterThan(0.5);
  expect(swing(new Soft(bass, 0.5))).toBeLessThan(0.1);
});

test("slots that do not flash are as they are", () => {
  const signals = signalsOf("frantic");
  for (const scene of SCENES) {
    const limited = show(scene, signals, {}, { limit: true });
    for (const { id, flash, signal } of scene.slots) {
      if (!flash) expect(limited.input(id).value(2.03)).toBe(signals.input(signal).value(2.03));
    }
  }
});
