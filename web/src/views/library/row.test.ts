import { expect, test } from "vitest";
import type { Job } from "../../api/client.ts";
import { Refusal } from "../../api/errors.ts";
import type { Upload } from "../../api/uploads.ts";
import { stemsOf } from "../job.ts";
import { rowsOf } from "./row.ts";

const job = (more: Partial<Job>): Job => ({
  id: "a",
  attempt: 1,
  config: { modelVariant: "4stems", stems: { drums: true, bass: true, vocals: true, other: false }, analysis: {} },
  createdAt: "2026-01-01T12:00:00Z",
  expiresAt: "2026-01-08T12:00:00Z",
  progress: 0,
  source: { bytes: 1, filename: "Copper Rain.mp3", kind: "song", durationSeconds: 182 },
  status: "processing",
  version: 1,
  ...more,
});
const upload = (more: Partial<Upload>): Upload => ({
  key: "k",
  title: "velvet.wav",
  state: "sending",
  job: null,
  parts: [],
  bytes: 142_000_000,
  sent: 61_200_000,
  speed: 8_400_000,
  secondsLeft: 10,
  error: null,
  kept: true,
  ...more,
});
const only = (jobs: Job[], uploads: Upload[] = []) => {
  const [row, ...more] = rowsOf(jobs, uploads);
  expect(more).toEqual([]);
  return row;
};

test("an upload says how much, how fast, and how long yet", () => {
  const row = only([], [upload({})]);
  expect(row).toMatchObject({ id: "k", state: "Uploading", tail: "61.2 of 142 MB, 8.4 MB/s, 10 s left", percent: 43 });
});

test("an upload and its job are one row", () => {
  const row = only([job({ status: "awaiting_upload" })], [upload({ job: "a" })]);
  expect(row).toMatchObject({ id: "a", title: "velvet.wav", state: "Uploading" });
  expect(only([job({ status: "queued" })], [upload({ job: "a", state: "done" })])?.bar).toEqual({
    kind: "queue",
    place: 1,
  });
});

test("what this page sends is never said to be sent from elsewhere", () => {
  const awaited = job({ status: "awaiting_upload", source: { bytes: 1, filename: "velvet.wav", kind: "song" } });
  // The job is told of before the request for it is answered, and taken on a while after all is sent.
  expect(only([awaited], [upload({})])).toMatchObject({ id: "k", state: "Uploading" });
  expect(only([awaited], [upload({ job: "a", state: "done" })])).toMatchObject({ id: "a", state: "Sent" });
  expect(only([awaited])?.tail).toBe("It is sent from elsewhere");
  expect(rowsOf([awaited], [upload({ title: "another.wav" })]).length).toBe(2);
});

test("what was sent is safe while the network is away", () => {
  const paused = upload({ state: "paused", error: new Refusal("offline", "") });
  expect(only([], [paused])).toMatchObject({
    state: "You are offline",
    tail: "61.2 of 142 MB are safe. It goes on by itself.",
  });
});

test("an upload for which there is no room says why, and when there is", () => {
  const error = new Refusal(
    "quota_exceeded",
    "You have 3 jobs. Ask again when one has ended.",
    new Date(2026, 5, 1, 9, 5),
  );
  expect(only([], [upload({ state: "failed", error })])).toMatchObject({
    group: "failed",
    failure: {
      what: "You have 3 jobs.",
      next: "Ask again when one has ended. Try again after 09:05.",
      remedy: "retry",
    },
  });
});

test("the oldest of those that wait is the first in the queue", () => {
  const rows = rowsOf(
    [job({ id: "new", status: "queued" }), job({ id: "old", status: "queued", estimatedTimeRemaining: 50 })],
    [],
  );
  expect(rows.map(({ state, tail }) => [state, tail])).toEqual([
    ["Second of yours in the queue", "no estimate yet"],
    ["First of yours in the queue", "done in 50 s at most"],
  ]);
});

test("how many songs are ahead is the service's to say, and each behind has one more", () => {
  const queued = (id: string, ahead?: number) =>
    job({ id, status: "queued", ...(ahead === undefined ? {} : { queue: { ahead } }) });
  const said = (...jobs: Job[]) => rowsOf(jobs, []).map(({ state, badge }) => [state, badge]);
  const place = (place: number) => ({ kind: "place", place });
  expect(said(queued("d"), queued("c"), queued("b", 1), queued("a", 0))).toEqual([
    ["3 songs ahead", place(4)],
    ["2 songs ahead", place(3)],
    ["1 song ahead", place(2)],
    ["Next in the queue", place(1)],
  ]);
  expect(said(queued("b", 1200), queued("a"))).toEqual([
    ["1,200 songs ahead", place(1201)],
    ["First of yours in the queue", place(1)],
  ]);
});

test("the bar's stripes are the stems that were chosen, in the order of lanes", () => {
  expect(stemsOf(job({}))).toEqual(["drums", "vocals", "bass"]);
});

test("what is done and what is left", () => {
  const row = only([job({ stage: "separating", progress: 62.7, estimatedTimeRemaining: 9 })]);
  expect(row).toMatchObject({ state: "Separating", tail: "9 s left, then beats and notes", percent: 62, ears: [] });
});

test("stems can be heard while analysis goes on", () => {
  const results = { gainDb: 0, stems: { vocals: "u", drums: "u" } };
  const row = only([job({ stage: "analysing", progress: 84, estimatedTimeRemaining: 5, results })]);
  expect(row).toMatchObject({ tail: "The stems are here: listen. 5 s left", ears: ["drums", "vocals"] });
});

test("a failure has words, a remedy, and when it was", () => {
  const times = { startedAt: "2026-01-01T12:00:00Z", completedAt: "2026-01-01T12:00:04Z" };
  const row = only([job({ status: "failed", ...times, error: { code: "no_audio", message: "" } })]);
  expect(row).toMatchObject({ group: "failed", about: "Failed after 4 s · no_audio", failure: { remedy: "replace" } });
});
