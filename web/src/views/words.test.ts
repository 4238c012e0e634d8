import { expect, test } from "vitest";
import { failureOf } from "./failures.ts";
import { ago, clock, count, counted, decibels, listed, megabytes, ordinal, size, spoken, wait } from "./words.ts";

test.each([
  [62.9, 2, "1:02.90"],
  [0, 0, "0:00"],
  [59.999, 2, "0:59.99"],
  [600, 0, "10:00"],
  [1.1, 2, "0:01.10"],
])("a clock shows %d s, with %d decimals, as %s", (seconds, decimals, text) =>
  expect(clock(seconds, decimals)).toBe(text),
);

test("a time is read out in minutes and seconds", () => {
  expect(spoken(62.9)).toBe("1 minute 2.9 seconds");
  expect(spoken(121)).toBe("2 minutes 1 second");
  expect(spoken(59.97)).toBe("1 minute 0 seconds");
});

test("a wait has a number", () => {
  expect([0, 9.4, 70, 120, 7500].map(wait)).toEqual(["1 s", "9 s", "1 min 10 s", "2 min", "2 h 5 min"]);
});

test("figures are as long as they need to be", () => {
  expect([420_000, 8_400_000, 142_300_000].map(megabytes)).toEqual(["0.42", "8.4", "142"]);
  expect([0, 999, 1000, 34_400, 999_499, 999_500, 8_400_000, 142e6, 1.24e9, 200e9].map(size)).toEqual([
    "0 B",
    "999 B",
    "1 kB",
    "34 kB",
    "999 kB",
    "1.0 MB",
    "8.4 MB",
    "142 MB",
    "1.2 GB",
    "200 GB",
  ]);
  expect(count(1274)).toBe("1,274");
  expect([-6, 0, -0.01, 1].map(decibels)).toEqual(["−6.0", "0.0", "0.0", "+1.0"]);
  expect([1, 3, 11, 12, 21, 22, 23].map(ordinal)).toEqual(["First", "Third", "11th", "12th", "21st", "22nd", "23rd"]);
});

test("how long ago", () => {
  const now = new Date(2026, 5, 10, 12, 0, 0);
  const before = (hours: number) => ago(new Date(now.getTime() - hours * 3_600_000), now);
  expect([0, 0.1, 3, 13, 26, 70].map(before)).toEqual([
    "just now",
    "6 min ago",
    "3 h ago",
    "yesterday",
    "yesterday",
    "3 days ago",
  ]);
});

test("names are listed as they are said", () => {
  expect(listed(["drums"])).toBe("drums");
  expect(listed(["drums", "vocals", "bass"])).toBe("drums, vocals and bass");
});

test("a failure says what is and what to do", () => {
  expect(failureOf({ code: "no_audio", message: "" }).what).toBe("There is no sound in this file.");
  expect(failureOf({ code: "truncated", message: "The file stops 12 s before its end" })).toEqual({
    what: "The file stops 12 s before its end.",
    next: "Export it again and drop it here: it takes this one’s place.",
    remedy: "replace",
  });
  expect(failureOf({ code: "model_missing", message: "", variant: "5stems" }).remedy).toBe("fewer");
  expect(failureOf({ code: "worker_lost", message: "" }).remedy).toBe("retry");
  const message = "You have 0 left of 10,000 minutes of sound a day. A new day begins at midnight UTC.";
  expect(failureOf({ code: "quota_exceeded", message, again: new Date(2026, 5, 10, 2, 0) })).toEqual({
    what: "You have 0 left of 10,000 minutes of sound a day.",
    next: "A new day begins at midnight UTC. Try again after 02:00.",
    remedy: "retry",
  });
  expect(failureOf({ code: "quota_exceeded", message }).next).toBe("A new day begins at midnight UTC.");
});

test("a code that is new here is told in the service's own words", () => {
  expect(failureOf({ code: "brand_new", message: "Something else" })).toEqual({
    what: "Something else.",
    next: "(brand_new)",
    remedy: "retry",
  });
});

test("one is one, and all else is several", () => {
  expect([0, 1, 2, 1274].map((notes) => counted(notes, "note"))).toEqual([
    "0 notes",
    "1 note",
    "2 notes",
    "1,274 notes",
  ]);
});
