// Uploads: several at once, each until the service has all of its files. What was begun is kept by the browser and
// known to the service by its Idempotency-Key, so that a lost network, a reload or a crash loses no file that had
// gone, and asks nobody to begin again.

import type { Scope } from "../scope.ts";
import type { Client, Created, JobRequest, UploadLink } from "./client.ts";
import { Refusal } from "./errors.ts";
import type { JobList } from "./joblist.ts";
import { type Send, sendByXhr } from "./send.ts";
import { BrowserShelf, type Shelf } from "./shelf.ts";
import { Running, type Upload } from "./upload.ts";

export type { Upload, UploadPart, UploadState } from "./upload.ts";

const AT_ONCE = 3;
const LONGEST_WAIT_SECONDS = 30;
/** Of links that were refused one after the other, each asked for anew. */
const MOST_LINKS = 4;

export interface UploadParts {
  readonly client: Pick<Client, "create" | "delete">;
  readonly jobs: Pick<JobList, "merge" | "remove" | "onChange" | "get">;
  /** Who is signed in. */
  readonly owner: string;
  readonly scope: Scope;
  readonly shelf?: Shelf;
  readonly send?: Send;
  /** Runs something while no other tab does the same. */
  readonly alone?: (name: string, signal: AbortSignal, run: () => Promise<void>) => Promise<void>;
}

/** The uploads of whoever is signed in. Make one for each sign-in; its scope ends it, and the next goes on. */
export class Uploads {
  readonly #parts: Required<UploadParts>;
  readonly #running = new Map<string, Running>();
  readonly #listeners = new Set<() => void>();
  #sending = 0;

  constructor(parts: UploadParts) {
    this.#parts = { shelf: new BrowserShelf(), send: sendByXhr, alone: byLock, ...parts };
    const { jobs, scope } = this.#parts;
    const end = jobs.onChange((job) => {
      for (const running of this.#running.values()) {
        // Cancelled in another tab, or from another device.
        const isCancelled = job?.status === "cancelled" && job.id === running.job;
        if (isCancelled || this.#isTaken(running)) void this.#drop(running);
      }
    });
    scope.add(end);
    scope.add(() => {
      for (const { abort } of this.#running.values()) abort.abort();
    });
  }

  /** In the order in which they were begun. */
  get all(): readonly Upload[] {
    const now = Date.now();
    return [...this.#running.values()].filter(({ isHere }) => isHere).map((running) => running.view(now));
  }

  /** Call `changed` after each change, several times a second; returns what ends it. */
  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Go on with what was begun before this page was loaded, and is not being sent by another tab. */
  async resume(): Promise<void> {
    const { shelf, owner } = this.#parts;
    const begun = await shelf.of(owner).catch(() => []);
    for (const one of begun) if (!this.#running.has(one.key)) this.#start(new Running(one, true));
  }

  /**
   * Send files, and make a job of them.
   *
   * @param files By the names of the request's stems; one file by "song" or "midi".
   * @returns The upload's key.
   */
  add(request: JobRequest, files: ReadonlyMap<string, Blob>): string {
    // The time first, so that they are gone on with in their order.
    const key = `${Date.now().toString(36).padStart(9, "0")}-${crypto.randomUUID()}`;
    const running = new Running({ key, owner: this.#parts.owner, request, files }, false);
    running.isHere = true;
    void this.#parts.shelf.put(running.begun).then(
      () => (running.isEnded || running.isDone ? this.#forget(running) : this.#change(running, { kept: true })),
      () => undefined, // no room: it is sent all the same
    );
    this.#start(running);
    return key;
  }

  /** Stop an upload, cancel its job, and forget its files. */
  async cancel(key: string): Promise<void> {
    const running = this.#running.get(key);
    if (!running) return;
    await this.#drop(running);
    if (!running.job) return;
    const job = await this.#parts.client.delete(running.job);
    if (job) this.#parts.jobs.merge(job);
    else this.#parts.jobs.remove(running.job);
  }

  /** Try one that failed again, or one that is paused now. */
  retry(key: string): void {
    const running = this.#running.get(key);
    if (running?.state === "failed") this.#start(running);
    else running?.wake();
  }

  /** The network is back. */
  wake(): void {
    for (const running of this.#running.values()) running.wake();
  }

  async #drop(running: Running): Promise<void> {
    running.isEnded = true;
    running.abort.abort();
    this.#running.delete(running.begun.key);
    this.#tell();
    await this.#forget(running);
  }

  async #forget(running: Running): Promise<void> {
    await this.#parts.shelf.delete(running.begun.key).catch(() => undefined);
  }

  #start(running: Running): void {
    const { key } = running.begun;
    this.#running.set(key, running);
    this.#change(running, { state: "waiting", error: null });
    const { alone, scope } = this.#parts;
    const signal = AbortSignal.any([running.abort.signal, scope.signal]);
    void alone(`stempipe.upload.${key}`, signal, () => this.#run(running, signal)).catch((error: unknown) => {
      if (signal.aborted) return;
      const refusal = error instanceof Refusal ? error : new Refusal("unavailable", String(error));
      this.#change(running, { state: "failed", error: refusal });
    });
  }

  async #run(running: Running, signal: AbortSignal): Promise<void> {
    const { shelf, owner } = this.#parts;
    // Another tab may have sent it while this one waited for its turn.
    if (running.kept && !(await shelf.of(owner)).some(({ key }) => key === running.begun.key)) {
      this.#running.delete(running.begun.key);
      return;
    }
    running.isHere = true;
    let wait = 1;
    let links = 0;
    while (!running.isDone) {
      const before = running.arrived;
      try {
        await this.#turn(running, signal, () => this.#send(running, signal));
      } catch (error) {
        if (signal.aborted || !(error instanceof Refusal)) throw error;
        if (running.arrived > before) [wait, links] = [1, 0];
        if (error.code === "link_expired" && ++links < MOST_LINKS) continue;
        if (!error.passes && error.code !== "signed_out") throw error;
        this.#change(running, { state: "paused", error });
        await running.sleep(wait, signal);
        wait = Math.min(2 * wait, LONGEST_WAIT_SECONDS);
      }
    }
    await this.#forget(running);
    this.#change(running, { state: "done", error: null });
    if (this.#isTaken(running)) await this.#drop(running);
  }

  /** Whether all is sent, and the job says so, too: until then this is what is known of it. */
  #isTaken({ state, job }: Running): boolean {
    return state === "done" && this.#parts.jobs.get(job ?? "")?.status !== "awaiting_upload";
  }

  /** Ask where to send what is missing, and send it. */
  async #send(running: Running, signal: AbortSignal): Promise<void> {
    const { client, jobs, send } = this.#parts;
    const { key, request, files } = running.begun;
    this.#change(running, { state: "sending", error: null });
    const created = await client.create(request, key, signal);
    running.job = created.job.id;
    jobs.merge(created.job);
    const links = linksOf(created, files);
    running.missing(new Set(links.keys()));
    this.#tell();
    for (const [name, link] of links) {
      const sent = (bytes: number) => {
        running.note(name, bytes, Date.now());
        this.#tell();
      };
      await send(link, files.get(name) ?? new Blob(), sent, signal);
      running.has(name);
      this.#tell();
    }
    running.isDone = true;
  }

  /** Run something when fewer than `AT_ONCE` others do. */
  async #turn(running: Running, signal: AbortSignal, run: () => Promise<void>): Promise<void> {
    while (this.#sending >= AT_ONCE) {
      if (running.state !== "waiting") this.#change(running, { state: "waiting" });
      await new Promise<void>((resolve) => {
        const end = this.onChange(() => this.#sending < AT_ONCE && go());
        const go = () => {
          end();
          resolve();
        };
        signal.addEventListener("abort", go, { once: true });
      });
      signal.throwIfAborted();
    }
    this.#sending += 1;
    try {
      await run();
    } finally {
      this.#sending -= 1;
      this.#tell();
    }
  }

  #change(running: Running, change: Partial<Pick<Running, "state" | "error" | "kept">>): void {
    Object.assign(running, change);
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function linksOf(created: Created, files: ReadonlyMap<string, Blob>): Map<string, UploadLink> {
  if (created.uploads) return new Map(Object.entries(created.uploads));
  const [name] = files.keys();
  return new Map(created.upload && name !== undefined ? [[name, created.upload]] : []);
}

async function byLock(name: string, signal: AbortSignal, run: () => Promise<void>): Promise<void> {
  await navigator.locks.request(name, { signal }, run);
}
