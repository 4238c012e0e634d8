import { expect, test } from "vitest";
import { type Measure, nextRun, useless } from "./cells.ts";
import { ahead } from "./timeline.ts";

const RATE = 44_100;
const CELL = RATE / 2;
const SONG = { samples: 100 * RATE, loop: null };
const measure: Measure = {
  cell: CELL,
  length: SONG.samples,
  shortestRun: RATE / 2,
  longestRun: 4 * RATE,
  plenty: 8 * RATE,
};
const cells = (start: number, end: number) => new Set(Array.from({ length: end - start }, (_, i) => start + i));

test("the first run is short, and later ones grow with what is there", () => {
  const held = new Set<number>();
  const lengths = [];
  for (let run = nextRun(ahead(SONG, 0, 12 * RATE), held, measure); run; ) {
    for (const cell of cells(run.start, run.end)) held.add(cell);
    lengths.push(run.end - run.start);
    run = nextRun(ahead(SONG, 0, 12 * RATE), held, measure);
  }
  expect(lengths).toEqual([1, 1, 2, 4, 8, 8]);
});

test("the first run holds half a second from where one seeks, wherever that is", () => {
  for (const at of [0, 1, CELL - 1, CELL, 12_345]) {
    const run = nextRun(ahead(SONG, at, 12 * RATE), new Set(), measure);
    expect(run?.start).toBe(Math.floor(at / CELL));
    expect((run?.end ?? 0) * CELL).toBeGreaterThanOrEqual(at + RATE / 2);
  }
});

test("while there is plenty, nothing is fetched", () => {
  expect(nextRun(ahead(SONG, 0, 12 * RATE), cells(0, 17), measure)).toBeNull();
  expect(nextRun(ahead(SONG, 0, 12 * RATE), cells(0, 16), measure)).toEqual({ start: 16, end: 24 });
});

test("a gap is filled, and no more", () => {
  const held = new Set([0, 2, 3]);
  expect(nextRun(ahead(SONG, 0, 12 * RATE), held, measure)).toEqual({ start: 1, end: 2 });
});

test("a loop's start is fetched before its end is reached", () => {
  const looped = { samples: SONG.samples, loop: { start: 0, end: 30 * RATE } };
  const held = cells(54, 60);
  expect(nextRun(ahead(looped, 27 * RATE, 12 * RATE), held, measure)).toEqual({ start: 0, end: 6 });
});

test("nothing is fetched beyond a stem that is shorter than the song", () => {
  expect(nextRun([{ start: 0, end: 4 * RATE }], cells(0, 3), { ...measure, length: 3 * CELL })).toBeNull();
  expect(nextRun([{ start: 0, end: 4 * RATE }], cells(0, 2), { ...measure, length: 2 * CELL + 1 })).toEqual({
    start: 2,
    end: 3,
  });
});

test("cells of no stretch are useless", () => {
  const stretches = [
    { start: CELL, end: 2 * CELL + 1 },
    { start: 5 * CELL, end: 6 * CELL },
  ];
  expect(useless(stretches, cells(0, 8), CELL)).toEqual([0, 3, 4, 6, 7]);
});
