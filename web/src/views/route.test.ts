import { expect, test } from "vitest";
import { fragmentOf, isOverlay, overlayOf, type Route, routeOf } from "./route.ts";

const ROUTES: Route[] = [
  { view: "welcome" },
  { view: "library" },
  { view: "new" },
  { view: "scenes" },
  { view: "mix", song: "01KAKPB6YQWQ4W2V9M4N2W7F3E" },
  { view: "stage", song: "a/b?c#d" },
  { view: "take", song: "night-bus" },
];

test.each(ROUTES)("a fragment leads where it came from: $view", (route) =>
  expect(routeOf(fragmentOf(route))).toEqual(route),
);

test.each(["#/nowhere", "#/song", "#/song/x/paint", "#/song/x/mix/more", "#/library/x"])(
  "%s leads nowhere",
  (fragment) => expect(routeOf(fragment)).toEqual({ view: "lost" }),
);

test("a song without a view is mixed, and a broken escape is text", () => {
  expect(routeOf("#/song/x")).toEqual({ view: "mix", song: "x" });
  expect(routeOf("#/song/%zz/mix")).toEqual({ view: "mix", song: "%zz" });
});

test("the overlay is asked for before or within the fragment", () => {
  expect(isOverlay({ search: "?obs", hash: "#/song/x/stage" })).toBe(true);
  expect(isOverlay({ search: "", hash: "#/song/x/stage?obs" })).toBe(true);
  expect(isOverlay({ search: "?observe", hash: "#/" })).toBe(false);
  expect(overlayOf({ search: "", hash: "#/song/x/stage?obs=%7B%3F%7D" })).toBe("{?}");
});
