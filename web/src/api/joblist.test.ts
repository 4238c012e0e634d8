import { expect, test } from "vitest";
import type { Job } from "./client.ts";
import { JobList } from "./joblist.ts";

const job = (id: string, version: number, more: Partial<Job> = {}): Job => ({
  id,
  version,
  status: "processing",
  attempt: 1,
  progress: 0,
  config: {},
  createdAt: `2026-01-01T00:00:0${id}Z`,
  expiresAt: "2026-01-08T00:00:00Z",
  source: { bytes: 1, filename: "a.mp3" },
  ...more,
});
const ids = (list: JobList) => list.all.map(({ id }) => id);

test("the newest comes first, whenever it is heard of", () => {
  const list = new JobList();
  for (const id of ["1", "3", "2"]) list.merge(job(id, 1));
  expect(ids(list)).toEqual(["3", "2", "1"]);
});

test("an older state never replaces a newer one", () => {
  const list = new JobList();
  list.merge(job("1", 5, { progress: 50 }));
  list.merge(job("1", 4, { progress: 40 }));
  expect(list.get("1")?.progress).toBe(50);
  list.merge(job("1", 6, { progress: 60 }));
  expect(list.get("1")?.progress).toBe(60);
});

test("where in the queue it is stays known until the job has moved", () => {
  const list = new JobList();
  list.merge(job("1", 5, { estimatedTimeRemaining: 40, queue: { ahead: 3 } }));
  list.merge(job("1", 5));
  expect(list.get("1")).toMatchObject({ estimatedTimeRemaining: 40, queue: { ahead: 3 } });
  list.merge(job("1", 5, { queue: { ahead: 0 } }));
  expect(list.get("1")?.queue).toEqual({ ahead: 0 });
  list.merge(job("1", 6));
  expect(list.get("1")).toMatchObject({ estimatedTimeRemaining: null, queue: null });
});

test("what was deleted does not come back by a message that was on its way, but does when it is made anew", () => {
  const list = new JobList();
  list.merge(job("1", 5));
  list.remove("1");
  list.merge(job("1", 5));
  expect(ids(list)).toEqual([]);
  list.merge(job("1", 9));
  expect(ids(list)).toEqual(["1"]);
});

test("a page forgets what it should have and has not, and nothing that it does not reach to", () => {
  const list = new JobList();
  for (const id of ["1", "2", "3", "4"]) list.merge(job(id, 1));
  const known = new Set(["1", "2", "3"]); // 4 was made while the page was on its way
  list.mergePage([job("2", 1)], false, known);
  expect(ids(list)).toEqual(["4", "2", "1"]);
  list.mergePage([job("2", 1)], true, known);
  expect(ids(list)).toEqual(["4", "2"]);
});

test("each change is told with what was before", () => {
  const list = new JobList();
  const heard: (string | undefined)[][] = [];
  const end = list.onChange((now, before) => heard.push([now?.status, before?.status]));
  list.merge(job("1", 1));
  list.merge(job("1", 2, { status: "completed" }));
  list.merge(job("1", 1));
  list.remove("1");
  end();
  list.merge(job("2", 1));
  expect(heard).toEqual([
    ["processing", undefined],
    ["completed", "processing"],
    [undefined, undefined],
  ]);
});
