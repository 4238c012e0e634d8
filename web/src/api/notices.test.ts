import { expect, test } from "vitest";
import type { Job } from "./client.ts";
import { JobList } from "./joblist.ts";
import { isNews } from "./notices.ts";

const job = (second: number, status: Job["status"], version = 1): Job => ({
  id: `${second}`,
  version,
  status,
  attempt: 1,
  progress: 0,
  config: {},
  createdAt: `2026-01-01T00:00:0${second}Z`,
  expiresAt: "2026-01-08T00:00:00Z",
  source: { bytes: 1, filename: "a.mp3" },
});

/** The jobs that are told of, in turn. */
function told(list: JobList): string[] {
  const news: string[] = [];
  list.onChange((now, before) => now && isNews(now, before, list.isNew(now)) && news.push(now.id));
  return news;
}

test("an end is news once, and what had ended before the page was opened is none", () => {
  const list = new JobList();
  const news = told(list);
  list.mergePage([job(3, "processing"), job(2, "completed")], false, new Set());
  list.merge(job(3, "completed", 2));
  list.merge(job(3, "completed", 3));
  list.merge(job(1, "failed")); // an older one, asked for
  expect(news).toEqual(["3"]);
});

test("a job that is first heard of at its end is news if it was made meanwhile", () => {
  const list = new JobList();
  const news = told(list);
  list.merge(job(5, "completed")); // before the first list: nobody can tell
  list.mergePage([job(5, "completed"), job(2, "completed")], true, new Set());
  list.mergePage([job(7, "failed"), job(6, "cancelled"), job(5, "completed"), job(2, "completed")], true, new Set());
  expect(news).toEqual(["7"]);
  const empty = new JobList();
  const first = told(empty);
  empty.mergePage([], true, new Set());
  empty.merge(job(1, "completed"));
  expect(first).toEqual(["1"]);
});
