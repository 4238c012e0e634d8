import { expect, test } from "vitest";
import { laneBands, layoutOf, partAt } from "./layout.ts";

test("lanes share what is below the ruler", () => {
  const layout = layoutOf({ height: 676, lanes: 4, narrow: false });
  expect(layout).toEqual({ overview: 46, ruler: 30, top: 76, lane: 150, head: 0 });
  expect(laneBands(layout, 3, true).y).toBe(526);
});

test("a lane's bands lie within it, and below its head on a phone", () => {
  for (const narrow of [false, true]) {
    const layout = layoutOf({ height: 600, lanes: 4, narrow });
    const { y, middle, half, notes, notesHeight } = laneBands(layout, 1, true);
    expect(middle - half).toBeGreaterThanOrEqual(y + layout.head);
    expect(notes).toBeGreaterThan(middle);
    expect(notes + notesHeight).toBeLessThanOrEqual(y + layout.lane);
  }
});

test("a low lane has no notes", () => {
  const layout = layoutOf({ height: 76 + 4 * 70, lanes: 4, narrow: false });
  expect(laneBands(layout, 0, true).notesHeight).toBe(0);
  expect(laneBands(layout, 0, true)).toEqual(laneBands(layout, 0, false));
});

test("a place belongs to the overview, the ruler or the lanes", () => {
  const layout = layoutOf({ height: 600, lanes: 4, narrow: false });
  expect([0, 45, 46, 75, 76, 599].map((y) => partAt(layout, y))).toEqual([
    "overview",
    "overview",
    "ruler",
    "ruler",
    "lanes",
    "lanes",
  ]);
});
