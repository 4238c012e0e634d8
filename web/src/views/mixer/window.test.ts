import { expect, test } from "vitest";
import {
  type Beat,
  barsAround,
  barWords,
  beatAt,
  following,
  rulerBars,
  snapped,
  stepped,
  timeToX,
  within,
  xToTime,
  zoomed,
} from "./window.ts";

/** Beats of 0.5 s in bars of four, the first at 1 s. */
const beats: Beat[] = Array.from({ length: 32 }, (_, at) => ({
  t: 1 + at / 2,
  bar: 1 + Math.floor(at / 4),
  beat: 1 + (at % 4),
}));

test("a time and its place are the same thing", () => {
  const window = { start: 10, length: 20 };
  for (const seconds of [10, 12.345, 30])
    expect(xToTime(timeToX(seconds, window, 973), window, 973)).toBeCloseTo(seconds);
  expect(timeToX(15, window, 400)).toBe(100);
});

test("a window stays within the song", () => {
  expect(within({ start: -5, length: 10 }, 60)).toEqual({ start: 0, length: 10 });
  expect(within({ start: 55, length: 10 }, 60)).toEqual({ start: 50, length: 10 });
  expect(within({ start: 5, length: 100 }, 60)).toEqual({ start: 0, length: 60 });
});

test("zooming keeps what is under the pointer where it is", () => {
  const window = { start: 10, length: 20 };
  const near = zoomed({ window, factor: 0.5, at: 15, duration: 60 });
  expect(near.length).toBe(10);
  expect(timeToX(15, near, 400)).toBeCloseTo(timeToX(15, window, 400));
  expect(zoomed({ window, factor: 99, at: 15, duration: 60 })).toEqual({ start: 0, length: 60 });
});

test("the window turns a page when what is played leaves it", () => {
  const window = { start: 0, length: 10 };
  expect(following(window, 5, 60)).toBe(window);
  expect(following(window, 10, 60).start).toBeCloseTo(9.6);
  expect(following({ start: 30, length: 10 }, 2, 60).start).toBeCloseTo(1.6);
});

test("beats and bars", () => {
  expect(beatAt(beats, 0.5)).toBeNull();
  expect(beatAt(beats, 3.5)).toEqual({ t: 3.5, bar: 2, beat: 2 });
  expect(barWords(beats, 3.65)).toEqual({ bar: 2, beat: 2, part: 2 });
  expect(barWords(beats, 99)?.part).toBe(4);
  expect(barWords([], 1)).toBeNull();
});

test("a step goes to the next beat, not to the one that was just passed", () => {
  const step = (seconds: number, steps: number, bars = false) => stepped({ beats, seconds, steps, bars });
  expect([step(1, 1), step(1.2, 1), step(1.49, 1), step(1.5, -1), step(1.7, -1), step(0.5, -1)]).toEqual([
    1.5, 1.5, 2, 1, 1.5, 0,
  ]);
  expect([step(1, 1, true), step(4, -1, true)]).toEqual([3, 3]);
  expect(step(99, 1)).toBe(Number.POSITIVE_INFINITY);
  expect(stepped({ beats: [], seconds: 5, steps: -1, bars: true })).toBe(1);
});

test("a loop's ends snap to the nearest beat", () => {
  expect([snapped(beats, 1.2), snapped(beats, 1.3), snapped(beats, 0), snapped(beats, 99), snapped([], 7)]).toEqual([
    1, 1.5, 1, 16.5, 7,
  ]);
  expect(snapped(beats, 2.1, true)).toBe(3);
});

test("so many bars are a window that begins with one of them", () => {
  expect(barsAround({ beats, seconds: 10, bars: 2, duration: 60 })).toEqual({ start: 9, length: 4 });
});

test("numbers in the ruler do not touch", () => {
  const window = { start: 0, length: 17 };
  expect(rulerBars({ beats, window, width: 800 }).map(({ bar }) => bar)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(rulerBars({ beats, window, width: 100 }).map(({ bar }) => bar)).toEqual([1, 5]);
});
