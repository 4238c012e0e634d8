import { expect, test } from "vitest";
import type { Quota } from "../api/client.ts";
import { allowancesOf } from "./allowances.ts";

const quota = (minutes: number, jobs: number, bytes: number): Quota => ({
  minutesToday: {
    limit: 10_000,
    used: 10_000 - minutes,
    left: minutes,
    resetsAt: new Date(2026, 5, 10, 2).toISOString(),
  },
  openJobs: { limit: 1000, used: 1000 - jobs, left: jobs },
  bytesKept: { limit: 200e9, used: bytes, left: Math.max(0, 200e9 - bytes) },
});

test("allowances say what is left, and of bytes what is kept", () => {
  expect(allowancesOf(quota(9987.5, 997, 1_234_567))).toEqual([
    { name: "Minutes today", fact: "9,987 of 10,000 left", cells: 10 },
    { name: "Open jobs", fact: "997 of 1,000 left", cells: 10 },
    { name: "Kept", fact: "1.2 MB of 200 GB", cells: 10 },
  ]);
  expect(allowancesOf(quota(8900, 500, 199e9)).map(({ cells }) => cells)).toEqual([9, 5, 1]);
});

test("where nothing is left, it is said until when", () => {
  expect(allowancesOf(quota(0.4, 0, 210e9)).map(({ fact, cells }) => [fact, cells])).toEqual([
    ["None left until 02:00", 1],
    ["None left until one ends", 0],
    ["210 GB of 200 GB", 0],
  ]);
});
