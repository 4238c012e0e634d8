import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Scope } from "../scope.ts";
import type { Created, Job, JobRequest, UploadLink } from "./client.ts";
import { offline, Refusal } from "./errors.ts";
import { JobList } from "./joblist.ts";
import type { Send } from "./send.ts";
import type { Begun, Shelf } from "./shelf.ts";
import { type Upload, Uploads } from "./uploads.ts";

/** Keeps what a browser would, over reloads. */
class Memory implements Shelf {
  readonly kept = new Map<string, Begun>();
  isFull = false;
  async put(begun: Begun): Promise<void> {
    if (this.isFull) throw new DOMException("full", "QuotaExceededError");
    this.kept.set(begun.key, begun);
  }
  async of(owner: string): Promise<Begun[]> {
    return [...this.kept.values()].filter((begun) => begun.owner === owner);
  }
  async delete(key: string): Promise<void> {
    this.kept.delete(key);
  }
}

const SONG: JobRequest = { filename: "song.mp3", size: 4 };
const SONG_FILES = new Map([["song", new Blob(["song"])]]);
const STEMS: JobRequest = {
  stems: ["drums", "bass"].map((name) => ({ name, filename: `${name}.wav`, size: 4 })),
};
const STEM_FILES = new Map(["drums", "bass"].map((name) => [name, new Blob(["stem"])]));

/** The service and storage: what has arrived, and what was asked. */
class Cloud {
  readonly asked: string[] = [];
  readonly arrived = new Set<string>();
  readonly deleted: string[] = [];
  #links = 0;

  readonly client = {
    create: async (request: JobRequest, key: string): Promise<Created> => {
      this.asked.push(key);
      const names = "stems" in request ? request.stems.map(({ name }) => name) : ["song"];
      const missing = names.filter((name) => !this.arrived.has(`${key} ${name}`));
      const links = Object.fromEntries(missing.map((name) => [name, this.#link(`${key} ${name}`)]));
      return "stems" in request
        ? { job: job(key, 1), uploads: missing.length ? links : null }
        : { job: job(key, 1), upload: links.song ?? null };
    },
    delete: async (id: string): Promise<Job | null> => {
      this.deleted.push(id);
      return { ...job("", 2), id, status: "cancelled" };
    },
  };

  #link(url: string): UploadLink {
    this.#links += 1;
    return { method: "POST", url, fields: { number: `${this.#links}` }, headers: {}, expiresAt: "" };
  }
}

const job = (key: string, version: number): Job => ({
  id: `job of ${key}`,
  version,
  status: "awaiting_upload",
  attempt: 1,
  progress: 0,
  config: {},
  createdAt: "2026-01-01T00:00:00Z",
  expiresAt: "2026-01-08T00:00:00Z",
  source: { bytes: 4, filename: "song.mp3" },
});

let cloud: Cloud;
let shelf: Memory;
let scope: Scope;
let jobs: JobList;
/** What storage does with each file that is sent. */
let storage: Send;
const alone = async (_: string, __: AbortSignal, run: () => Promise<void>) => run();

beforeEach(() => {
  vi.useFakeTimers();
  cloud = new Cloud();
  shelf = new Memory();
  scope = new Scope();
  jobs = new JobList();
  storage = async (link, file, sent) => {
    sent(file.size);
    cloud.arrived.add(link.url);
  };
});
afterEach(() => {
  scope.close();
  vi.useRealTimers();
});

function made(owner = "alice"): Uploads {
  const send: Send = (...sent) => storage(...sent);
  return new Uploads({ client: cloud.client, jobs, owner, scope, shelf, send, alone });
}

/** Every state that the uploads go through, the newest last. */
function watched(uploads: Uploads): Upload[] {
  const seen: Upload[] = [];
  uploads.onChange(() => seen.push(...uploads.all));
  return seen;
}
const states = (uploads: Uploads) => uploads.all.map(({ state }) => state);
const settle = () => vi.advanceTimersByTimeAsync(0);

test("a song is sent, and said to be until the service has taken it on", async () => {
  const uploads = made();
  const seen = watched(uploads);
  const key = uploads.add(SONG, SONG_FILES);
  await settle();
  expect([...cloud.arrived]).toEqual([`${key} song`]);
  expect(seen.at(-1)).toMatchObject({ state: "done", sent: 4, bytes: 4, job: `job of ${key}`, title: "song.mp3" });
  expect(shelf.kept.size).toBe(0);
  expect(jobs.get(`job of ${key}`)?.status).toBe("awaiting_upload");
  expect(states(uploads)).toEqual(["done"]);
  jobs.merge({ ...job(key, 2), status: "queued" });
  expect(uploads.all).toEqual([]);
});

test("a job that goes on before its upload is known to have ended leaves nothing behind", async () => {
  storage = async (link) => {
    cloud.arrived.add(link.url);
    jobs.merge({ ...job(link.url.split(" ")[0] ?? "", 2), status: "queued" });
  };
  const uploads = made();
  uploads.add(SONG, SONG_FILES);
  await settle();
  expect(cloud.arrived.size).toBe(1);
  expect(uploads.all).toEqual([]);
});

test("a reload goes on with what was begun, and sends nothing that has arrived", async () => {
  storage = async (link, _, __, signal) => {
    if (link.url.endsWith("drums")) cloud.arrived.add(link.url);
    else await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  const key = made().add(STEMS, STEM_FILES);
  await settle();
  scope.close(); // the page is left
  await settle();
  expect(shelf.kept.size).toBe(1);

  scope = new Scope();
  const sent: string[] = [];
  storage = async (link) => {
    sent.push(link.url);
    cloud.arrived.add(link.url);
  };
  const uploads = made();
  await uploads.resume();
  await settle();
  expect(sent).toEqual([`${key} bass`]);
  expect(cloud.asked).toEqual([key, key]);
  expect(shelf.kept.size).toBe(0);
});

test("another user of the browser does not go on with it", async () => {
  storage = () => new Promise(() => undefined);
  made("alice").add(SONG, SONG_FILES);
  await settle();
  const bob = made("bob");
  await bob.resume();
  await settle();
  expect(bob.all).toEqual([]);
  expect(cloud.asked.length).toBe(1);
});

test("a lost network pauses it, and it goes on by itself with a new link", async () => {
  const numbers: (string | undefined)[] = [];
  let isOnline = false;
  storage = async (link, _, sent) => {
    numbers.push(link.fields.number);
    sent(2);
    if (!isOnline) throw offline();
    cloud.arrived.add(link.url);
  };
  const uploads = made();
  uploads.add(SONG, SONG_FILES);
  await settle();
  expect(uploads.all[0]).toMatchObject({ state: "paused", error: { code: "offline" }, kept: true });
  await vi.advanceTimersByTimeAsync(1000);
  expect(numbers).toEqual(["1", "2"]);
  isOnline = true;
  uploads.wake(); // without the wait
  await settle();
  expect(numbers).toEqual(["1", "2", "3"]);
  expect(states(uploads)).toEqual(["done"]);
});

test("a link that has ended is asked for anew, and not for ever", async () => {
  let tries = 0;
  storage = async () => {
    tries += 1;
    throw new Refusal("link_expired", "Request has expired");
  };
  const uploads = made();
  const key = uploads.add(SONG, SONG_FILES);
  await settle();
  expect(tries).toBe(4);
  expect(uploads.all[0]).toMatchObject({ state: "failed", error: { code: "link_expired" } });
  storage = async (link) => {
    cloud.arrived.add(link.url);
  };
  uploads.retry(key);
  await settle();
  expect(states(uploads)).toEqual(["done"]);
});

test("what is refused fails, is kept, and says why", async () => {
  const uploads = made();
  cloud.client.create = async () => {
    throw new Refusal("too_large", "The file has 4 bytes; the limit is 3.");
  };
  uploads.add(SONG, SONG_FILES);
  await settle();
  expect(uploads.all[0]).toMatchObject({ state: "failed", error: { code: "too_large" }, job: null });
});

test("cancelling stops it, cancels the job, and forgets the files", async () => {
  let stopped = false;
  storage = (_, __, ___, signal) =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        stopped = true;
        reject(signal.reason);
      }),
    );
  const uploads = made();
  const key = uploads.add(SONG, SONG_FILES);
  await settle();
  await uploads.cancel(key);
  expect(stopped).toBe(true);
  expect(uploads.all).toEqual([]);
  expect(shelf.kept.size).toBe(0);
  expect(cloud.deleted).toEqual([`job of ${key}`]);
  expect(jobs.get(`job of ${key}`)?.status).toBe("cancelled");
});

test("a job that is cancelled elsewhere is not sent any further", async () => {
  storage = () => new Promise(() => undefined);
  const uploads = made();
  const key = uploads.add(SONG, SONG_FILES);
  await settle();
  jobs.merge({ ...job(key, 5), status: "cancelled" });
  await settle();
  expect(uploads.all).toEqual([]);
  expect(shelf.kept.size).toBe(0);
});

test("three are sent at once, and the next when one is done", async () => {
  const ends: (() => void)[] = [];
  storage = (link) =>
    new Promise((resolve) => {
      ends.push(() => {
        cloud.arrived.add(link.url);
        resolve();
      });
    });
  const uploads = made();
  for (let i = 0; i < 5; i++) uploads.add(SONG, SONG_FILES);
  await settle();
  expect(states(uploads)).toEqual(["sending", "sending", "sending", "waiting", "waiting"]);
  ends[0]?.();
  await settle();
  expect(states(uploads)).toEqual(["done", "sending", "sending", "sending", "waiting"]);
  expect(ends.length).toBe(4);
});

test("without room for the files they are sent all the same", async () => {
  shelf.isFull = true;
  const uploads = made();
  const seen = watched(uploads);
  uploads.add(SONG, SONG_FILES);
  await settle();
  expect(seen.at(-1)).toMatchObject({ state: "done", kept: false });
});
