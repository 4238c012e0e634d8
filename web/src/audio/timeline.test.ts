import { expect, test } from "vitest";
import { advance, ahead, fitted, follow, stretchEnd, type Timeline } from "./timeline.ts";

const song: Timeline = { samples: 1000, loop: null };
const looped: Timeline = { samples: 1000, loop: { start: 300, end: 437 } };

/** What the definition says, one sample at a time. */
function stepped(timeline: Timeline, sample: number, count: number): number {
  for (let i = 0; i < count && sample < timeline.samples; i++)
    sample = sample + 1 === stretchEnd(timeline, sample) ? follow(timeline, sample + 1) : sample + 1;
  return sample;
}

test("advancing by many samples is advancing by one, many times", () => {
  const loops = [null, { start: 300, end: 437 }, { start: 0, end: 1000 }, { start: 500, end: 501 }];
  for (const loop of loops)
    for (const sample of [0, 299, 300, 436, 437, 500, 501, 999])
      for (const count of [0, 1, 128, 137, 138, 700, 5000])
        expect(advance({ samples: 1000, loop }, sample, count)).toBe(stepped({ samples: 1000, loop }, sample, count));
});

test("what lies ahead ends with the song", () => {
  expect(ahead(song, 900, 500)).toEqual([{ start: 900, end: 1000 }]);
  expect(ahead(song, 1000, 500)).toEqual([]);
});

test("a loop lies ahead once round, however often it is heard", () => {
  expect(ahead(looped, 400, 10_000)).toEqual([
    { start: 400, end: 437 },
    { start: 300, end: 437 },
  ]);
  expect(ahead(looped, 300, 10_000)).toEqual([{ start: 300, end: 437 }]);
  expect(ahead(looped, 100, 350)).toEqual([
    { start: 100, end: 437 },
    { start: 300, end: 313 },
  ]);
  expect(ahead(looped, 437, 10)).toEqual([{ start: 437, end: 447 }]);
});

test("a loop is fitted into its song", () => {
  expect(fitted(1000, { start: -5, end: 2000 })).toEqual({ start: 0, end: 1000 });
  expect(fitted(1000, { start: 1200, end: 1100 })).toEqual({ start: 999, end: 1000 });
  expect(fitted(1000, { start: 10.4, end: 10.4 })).toEqual({ start: 10, end: 11 });
  expect(fitted(0, { start: 0, end: 1 })).toBeNull();
});
