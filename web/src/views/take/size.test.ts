import { expect, test } from "vitest";
import { movedEdge, secondsLeft, sizeOf, sizeWords } from "./size.ts";

test("sizes are even, and as long as the shape says", () => {
  expect(sizeOf("16:9", 1080)).toEqual({ width: 1920, height: 1080 });
  expect(sizeOf("9:16", 720)).toEqual({ width: 720, height: 1280 });
  expect(sizeWords("1:1", 1080)).toBe("1080 × 1080");
});

test("the ends of a range stay in order and in the song", () => {
  const move = (edge: "start" | "end", to: number) =>
    movedEdge({ range: { start: 10, end: 20 }, edge, to, duration: 60 });
  expect(move("start", 30)).toEqual({ start: 19.5, end: 20 });
  expect(move("start", -3)).toEqual({ start: 0, end: 20 });
  expect(move("end", 99)).toEqual({ start: 10, end: 60 });
  expect(move("end", 5)).toEqual({ start: 10, end: 10.5 });
});

test("what is left is by what it took, once that says something", () => {
  expect(secondsLeft(0.25, 0, 10_000)).toBe(30);
  expect(secondsLeft(0.01, 0, 10_000)).toBeNull();
});
