import { expect, test } from "vitest";
import type { Channels } from "./mixing.ts";
import { Residual } from "./residual.ts";

const of = (...samples: number[]): Channels => [Float32Array.from(samples), Float32Array.from(samples.map((s) => -s))];

test("a residual is what is left, against the song", () => {
  const tenth = new Residual();
  tenth.add(of(0.5, -0.25), of(0.45, -0.225));
  tenth.add(of(0.1), of(0.09));
  expect(tenth.decibels).toBeCloseTo(-20, 4);
});

test("stems that sum to the song leave nothing, no stems leave all, and of silence there is none", () => {
  const whole = new Residual();
  whole.add(of(0.5, 0.1), of(0.5, 0.1));
  expect(whole.decibels).toBe(-Infinity);
  const none = new Residual();
  none.add(of(0.5, 0.1), of(0, 0));
  expect(none.decibels).toBe(0);
  const silence = new Residual();
  silence.add(of(0, 0), of(0, 0));
  expect(silence.decibels).toBeNull();
});
