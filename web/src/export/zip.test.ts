import { expect, test } from "vitest";
import { fileName } from "./destination.ts";
import { distinct } from "./zip.ts";

test("no two files of a zip have one name, on any system", () => {
  expect(distinct(["a.wav", "A.wav", "a.wav", "b", "b", ".x", ".x"])).toEqual([
    "a.wav",
    "A (2).wav",
    "a (3).wav",
    "b",
    "b (2)",
    ".x",
    ".x (2)",
  ]);
});

test("a title becomes the name of a file, whatever is in it", () => {
  expect(fileName("Nächte, Teil 2.wav")).toBe("Nächte, Teil 2.wav");
  expect(fileName('../../a\\b:c*?"<>|\u0000\u202e.wav')).toBe("_.._a_b_c________.wav");
  expect(fileName(" .. ")).toBe("file");
  expect(fileName(`${"x".repeat(500)}.wav`)).toMatch(/^x{116}\.wav$/);
});
