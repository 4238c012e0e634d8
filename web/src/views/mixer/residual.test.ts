import { expect, test } from "vitest";
import type { Job } from "../../api/client.ts";
import { residualOf } from "./residual.ts";

const job = (residualDb: number | null | undefined, config: Job["config"] = {}) =>
  ({ config, results: { gainDb: 0, stems: {}, residualDb } }) as unknown as Job;

test("a residual has a figure, a share of the scale, and a clause", () => {
  expect(residualOf(job(-133.42))).toEqual({ figure: "−133.4 dB", share: 1, words: "The stems rebuild the song" });
  expect(residualOf(job(-30))).toEqual({ figure: "−30.0 dB", share: 0.5, words: "Close to the song" });
  expect(residualOf(job(0))).toEqual({ figure: "0.0 dB", share: 0, words: "Parts are missing" });
});

test("what is missing has its reason", () => {
  expect(residualOf(job(-9, { maskExtension: "zeros" }))?.words).toMatch(/above 11 kHz/);
  expect(residualOf(job(-9, { maskExtension: "zeros", bandwidth: "16khz" }))?.words).toMatch(/above 16 kHz/);
});

test("where it was not measured nothing is said", () => {
  expect(residualOf(job(null))).toBeNull();
  expect(residualOf(job(undefined))).toBeNull();
  expect(residualOf({ ...job(0), results: null })).toBeNull();
});
