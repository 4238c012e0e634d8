import { expect, test } from "vitest";
import { Mixer, type Report, type Shape } from "./mixer.ts";
import type { Channels } from "./mixing.ts";
import { advance, type Range } from "./timeline.ts";

const BLOCK = 128;
const RATE = 8_000;
const CELL = 500;
const SAMPLES = 5_210;

/** A sample of 16 bits that no other sample of these stems has. */
const sample = (stem: number, channel: number, at: number) => (at + 6_000 * stem + 13_000 * channel - 16_000) / 32_768;
const mixed = (stems: number, channel: number, at: number) =>
  Array.from({ length: stems }, (_, stem) => sample(stem, channel, at)).reduce((a, b) => Math.fround(a + b), 0);

function cellOf(stem: number, cell: number, length = SAMPLES): Channels {
  const count = Math.min(CELL, length - cell * CELL);
  const of = (channel: number) =>
    Float32Array.from({ length: count }, (_, i) => sample(stem, channel, cell * CELL + i));
  return [of(0), of(1)];
}

function mixer(stems = 2, lengths: readonly number[] = Array(stems).fill(SAMPLES)): Mixer {
  const shape: Shape = { sampleRate: RATE, cell: CELL, lengths };
  const made = new Mixer(
    shape,
    lengths.map(() => 1),
  );
  lengths.forEach((length, stem) => {
    for (let cell = 0; cell * CELL < length; cell++)
      made.obey({ do: "put", stem, cell, channels: cellOf(stem, cell, length) });
  });
  return made;
}

function render(mixer: Mixer, blocks: number, from = 0) {
  const left: number[] = [];
  const right: number[] = [];
  const reports: Report[] = [];
  for (let block = from; block < from + blocks; block++) {
    const mix: Channels = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
    const report = mixer.render(mix, block * BLOCK);
    if (report) reports.push(report);
    left.push(...mix[0]);
    right.push(...mix[1]);
  }
  return { left, right, reports };
}

/** The mix from a sample on, as heard round a loop. */
function expected(from: number, count: number, loop: Range | null = null, stems = 2): number[] {
  const timeline = { samples: SAMPLES, loop };
  return Array.from({ length: count }, (_, i) => mixed(stems, 0, advance(timeline, from, i)));
}

test("the mix is the sum of the stems to the bit, over all edges of cells, then silence", () => {
  const played = mixer();
  played.obey({ do: "play" });
  const { left, right, reports } = render(played, 42);
  expect(left.slice(BLOCK, SAMPLES)).toEqual(expected(BLOCK, SAMPLES - BLOCK));
  expect(right[SAMPLES - 1]).toBe(mixed(2, 1, SAMPLES - 1));
  expect(left.slice(SAMPLES).every((value) => value === 0)).toBe(true);
  expect(left[0]).toBe(Math.fround(mixed(2, 0, 0) * (0.5 / BLOCK)));
  expect(reports.at(-1)).toMatchObject({ doing: "ended", sample: SAMPLES });
});

test.each([
  { start: 300, end: 437 },
  { start: 490, end: 2_511 },
  { start: 700, end: 701 },
  { start: 0, end: SAMPLES },
])("loops go round exactly: $start to $end", (loop) => {
  const played = mixer();
  played.obey({ do: "loop", loop });
  played.obey({ do: "seek", sample: loop.start, turn: 1 });
  played.obey({ do: "play" });
  const { left } = render(played, 100);
  expect(left.slice(BLOCK)).toEqual(expected(loop.start, 100 * BLOCK, loop).slice(BLOCK));
});

test("after a seek the old fades out in one block, and the new is exact after another", () => {
  const played = mixer();
  played.obey({ do: "play" });
  render(played, 4);
  played.obey({ do: "seek", sample: 3_333, turn: 7 });
  const { left, reports } = render(played, 5, 4);
  expect(left[BLOCK - 1]).toBe(Math.fround(mixed(2, 0, 5 * BLOCK - 1) * (0.5 / BLOCK)));
  expect(left.slice(2 * BLOCK)).toEqual(expected(3_333 + BLOCK, 3 * BLOCK));
  expect(reports.find(({ turn }) => turn === 7)).toMatchObject({ frame: 5 * BLOCK, sample: 3_333, doing: "playing" });
});

test("a stem that is late stops all, in step, and all go on together", () => {
  const played = mixer();
  played.obey({ do: "play" });
  played.obey({ do: "drop", stem: 1, cells: [4] });
  const before = render(played, 30);
  const stopped = before.left.findLastIndex((value) => value !== 0) + 1;
  expect(stopped).toBeLessThanOrEqual(4 * CELL);
  expect(stopped).toBeGreaterThan(4 * CELL - 2 * BLOCK);
  expect(before.left.slice(BLOCK, stopped - BLOCK)).toEqual(expected(BLOCK, stopped - 2 * BLOCK));
  expect(before.reports.at(-1)).toMatchObject({ doing: "waiting", sample: stopped });

  played.obey({ do: "put", stem: 1, cell: 4, channels: cellOf(1, 4) });
  const after = render(played, 10, 30);
  expect(after.left.slice(BLOCK)).toEqual(expected(stopped + BLOCK, 9 * BLOCK));
});

test("who ran dry waits for a second of sound, so as not to stutter", () => {
  const played = mixer(1, [4 * RATE]);
  played.obey({ do: "play" });
  played.obey({ do: "drop", stem: 0, cells: Array.from({ length: 60 }, (_, i) => i + 2) });
  render(played, 10);
  played.obey({ do: "put", stem: 0, cell: 2, channels: cellOf(0, 2, 4 * RATE) });
  expect(render(played, 5).left.every((value) => value === 0)).toBe(true);
  for (let cell = 3; cell <= 2 + RATE / CELL; cell++)
    played.obey({ do: "put", stem: 0, cell, channels: cellOf(0, cell, 4 * RATE) });
  expect(render(played, 5).left.some((value) => value !== 0)).toBe(true);
});

test("a gain moves without a jump, and is exact again once it is there", () => {
  const played = mixer(1);
  played.obey({ do: "play" });
  render(played, 2);
  played.obey({ do: "gain", stem: 0, value: 0.5 });
  const { left } = render(played, 4, 2);
  const gains = left.map((value, i) => value / sample(0, 0, 2 * BLOCK + i));
  const steps = gains.slice(1).map((gain, i) => Math.abs(gain - (gains[i] as number)));
  expect(Math.max(...steps)).toBeLessThan(0.5 / 90);
  expect(gains[0]).toBeGreaterThan(0.99);
  const settled = Math.round(0.012 * RATE);
  expect(left.slice(settled)).toEqual(
    expected(2 * BLOCK, 4 * BLOCK, null, 1)
      .map((v) => v / 2)
      .slice(settled),
  );
});

test("pausing fades out, and going on is where it stopped", () => {
  const played = mixer();
  played.obey({ do: "play" });
  render(played, 3);
  played.obey({ do: "pause" });
  const { left, reports } = render(played, 20, 3);
  expect(left.slice(BLOCK).every((value) => value === 0)).toBe(true);
  expect(reports.at(-1)).toMatchObject({ doing: "paused", sample: 4 * BLOCK });
  played.obey({ do: "play" });
  expect(render(played, 2, 23).left.slice(BLOCK)).toEqual(expected(5 * BLOCK, BLOCK));
});

test("a shorter stem is silent after its end, and nobody waits for it", () => {
  const played = mixer(2, [SAMPLES, 777]);
  played.obey({ do: "play" });
  const { left } = render(played, 20);
  const want = expected(0, 20 * BLOCK, null, 1).map((value, at) => (at < 777 ? mixed(2, 0, at) : value));
  expect(left.slice(BLOCK)).toEqual(want.slice(BLOCK));
});

test("levels are the greatest samples, gains applied", () => {
  const played = mixer();
  played.obey({ do: "gain", stem: 1, value: 0 });
  render(played, 2);
  played.obey({ do: "play" });
  const { reports } = render(played, 17, 2);
  const [first, second] = reports.at(-1)?.levels ?? [];
  expect(first).toBeCloseTo(16_000 / 32_768, 1);
  expect(second).toBe(0);
});
