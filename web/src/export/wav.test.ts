import { expect, test } from "vitest";
import { pcm, wavHead } from "./wav.ts";

test("samples of 16 bits stay as they are, and what is beyond is cut off and counted", () => {
  const left = Float32Array.of(0, 1 / 32_768, -1, 32_767 / 32_768);
  const right = Float32Array.of(1, -1.5, 0.5 / 32_768, -0.6 / 32_768);
  const { bytes, clipped } = pcm([left, right]);
  expect([...new Int16Array(bytes.buffer)]).toEqual([0, 32_767, 1, -32_768, -32_768, 1, 32_767, -1]);
  expect(clipped).toBe(2);
});

test("the head says how long the file is", () => {
  const head = new DataView(wavHead(48_000, 1_000).buffer);
  expect(head.getUint32(4, true)).toBe(36 + 4_000);
  expect(head.getUint32(28, true)).toBe(192_000);
  expect(head.getUint32(40, true)).toBe(4_000);
});
