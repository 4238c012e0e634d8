import { expect, test } from "vitest";
import { bytesOf, fileOf, parseIndex, samplesOf } from "./stem-index.ts";

const HEAD = Uint8Array.from({ length: 50 }, (_, i) => 200 - i);

/** An index of two whole frames and a short one. */
function written(version = 1): ArrayBuffer {
  const numbers = [version, 44_100, 4_410, 9_000, 50, 150, 300, 333];
  const bytes = new Uint8Array(4 * numbers.length + HEAD.length);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, i) => {
    view.setUint32(4 * i, number, true);
  });
  bytes.set(HEAD, 4 * numbers.length);
  return bytes.buffer;
}

test("an index says where frames are, and how long", () => {
  const index = parseIndex(written());
  expect(index).toMatchObject({ sampleRate: 44_100, frameSamples: 4_410, samples: 9_000, frames: 3 });
  expect(bytesOf(index, 1, 3)).toEqual({ start: 150, end: 333 });
  expect(samplesOf(index, 1, 3)).toBe(4_590);
  expect(samplesOf(index, 0, 2)).toBe(8_820);
});

test("a run of frames becomes a file with its own total and no MD5", () => {
  const file = new Uint8Array(fileOf(parseIndex(written()), 1, 3, Uint8Array.of(7, 8, 9)));
  expect(file.slice(0, 22)).toEqual(HEAD.slice(0, 22));
  expect(new DataView(file.buffer).getUint32(22)).toBe(4_590);
  expect([...file.slice(26, 42)]).toEqual(Array(16).fill(0));
  expect(file.slice(42, 50)).toEqual(HEAD.slice(42));
  expect([...file.slice(50)]).toEqual([7, 8, 9]);
});

test("what is no index is refused", () => {
  expect(() => parseIndex(new ArrayBuffer(3))).toThrow("3 bytes");
  expect(() => parseIndex(written(2))).toThrow("version 2");
  expect(() => parseIndex(written().slice(0, 60))).toThrow("ends before");
});
