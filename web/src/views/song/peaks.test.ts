import { expect, test } from "vitest";
import { parsePeaks, reach, together } from "./peaks.ts";

/** A file of two pixels a tenth of a second; each is left min, left max, right min, right max. */
const dat = (pixels: number[][], version = 2) => {
  const view = new DataView(new ArrayBuffer(24 + pixels.length * 4));
  [version, 1, 4410, 441, pixels.length, 2].forEach((value, place) => {
    view.setInt32(place * 4, value, true);
  });
  pixels.flat().forEach((value, place) => {
    view.setInt8(24 + place, value);
  });
  return view.buffer;
};

test("the outline is of both channels", () => {
  const peaks = parsePeaks(
    dat([
      [-64, 32, -16, 127],
      [0, 0, -128, 0],
    ]),
  );
  expect(peaks.rate).toBe(10);
  expect([...peaks.low]).toEqual([-0.5, -1]);
  expect([...peaks.high]).toEqual([127 / 128, 0].map(Math.fround));
});

test("how far it reaches in a stretch, and beyond its end", () => {
  const peaks = parsePeaks(
    dat([
      [-64, 32, 0, 0],
      [0, 16, 0, 0],
    ]),
  );
  expect([reach(peaks, 0, 0.1), reach(peaks, 0.1, 0.2), reach(peaks, 0.05, 5), reach(peaks, 9, 10)]).toEqual([
    0.5, 0.125, 0.5, 0,
  ]);
});

test("stems together are louder than each, and as long as the longest", () => {
  const [a, b] = [
    parsePeaks(dat([[0, 64, 0, 0]])),
    parsePeaks(
      dat([
        [0, 64, 0, 0],
        [-64, 0, 0, 0],
      ]),
    ),
  ];
  const mix = together([a, b]);
  expect(mix?.high[0]).toBeCloseTo(Math.SQRT1_2);
  expect(mix?.low[1]).toBe(-0.5);
  expect(together([])).toBeNull();
});

test.each([
  ["version 1", dat([], 1)],
  ["half a file", dat([[1, 2, 3, 4]]).slice(0, 26)],
  ["nothing", new ArrayBuffer(0)],
])("%s is refused", (_, bytes) => expect(() => parsePeaks(bytes)).toThrow());
