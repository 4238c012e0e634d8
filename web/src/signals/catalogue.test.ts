import { expect, test } from "vitest";
import { stemName, wordsOf } from "./catalogue.ts";

test("stems are called as a person would", () => {
  expect(["other", "other 2", "Gtr 2", "toString", "808"].map(stemName)).toEqual([
    "Other",
    "Other 2",
    "Gtr 2",
    "toString",
    "808",
  ]);
  expect(wordsOf("other 2.rms")).toBe("Other 2, loudness");
});
