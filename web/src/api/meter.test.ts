import { expect, test } from "vitest";
import { Meter } from "./meter.ts";

test("nothing is said of an upload that has just begun", () => {
  const meter = new Meter();
  expect(meter.speed(0)).toBeNull();
  meter.note(0, 0);
  expect(meter.speed(1000)).toBeNull();
  meter.note(10, 50);
  expect(meter.speed(50)).toBeNull();
});

test("speed is that of the last seconds", () => {
  const meter = new Meter();
  for (let second = 0; second <= 10; second++) meter.note(second * 1000, second * 1000);
  for (let second = 11; second <= 20; second++) meter.note(10_000 + (second - 10) * 100, second * 1000);
  expect(meter.speed(20_000)).toBeCloseTo(100);
  expect(meter.left(500, 20_000)).toBeCloseTo(5);
});

test("it falls while nothing is heard, and says no time at a standstill", () => {
  const meter = new Meter();
  meter.note(0, 0);
  meter.note(1000, 1000);
  expect(meter.speed(10_000)).toBeCloseTo(100);
  meter.note(1000, 10_000);
  meter.note(1000, 20_000);
  expect(meter.left(5, 20_000)).toBeNull();
});

test("what is begun again is measured anew", () => {
  const meter = new Meter();
  meter.note(0, 0);
  meter.note(90_000, 1000);
  meter.note(0, 2000);
  meter.note(10, 3000);
  expect(meter.speed(3000)).toBeCloseTo(10);
});
