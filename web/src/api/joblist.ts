// One list of jobs, put together from whatever tells of them: the WebSocket, a poll, an answer to a request. They
// overtake each other; of two states of a job the one with the larger version is newer (docs/websocket.md).

import type { Job } from "./client.ts";

export class JobList {
  readonly #jobs = new Map<string, Job>();
  /** Jobs that were deleted here, and their version then: what was on its way does not bring them back. */
  readonly #deleted = new Map<string, number>();
  readonly #listeners = new Set<(changed: Job | null, before: Job | null) => void>();
  /** When the newest job of the first list was made, "" if there was none; null before it came. */
  #first: string | null = null;

  /** Newest first. */
  get all(): readonly Job[] {
    return [...this.#jobs.values()].sort(newestFirst);
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Whether a job was made after the first list had come, so that all that is told of it is news. */
  isNew({ createdAt }: Job): boolean {
    return this.#first !== null && createdAt > this.#first;
  }

  /** Call `heard` for each change, with the job as it is and as it was; both null where jobs went. */
  onChange(heard: (changed: Job | null, before: Job | null) => void): () => void {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  /** Take a state of a job, unless a newer one is known. */
  merge(job: Job): void {
    const before = this.#jobs.get(job.id) ?? null;
    if (job.version <= (this.#deleted.get(job.id) ?? -1)) return;
    if (before && job.version < before.version) return;
    // The same state, asked for by itself, may say where in the queue it is; and links are new each time.
    const same = before?.version === job.version ? before : null;
    const estimatedTimeRemaining = job.estimatedTimeRemaining ?? same?.estimatedTimeRemaining ?? null;
    this.#jobs.set(job.id, { ...job, estimatedTimeRemaining, queue: job.queue ?? same?.queue ?? null });
    this.#tell(job, before);
  }

  /** Take a page of the list. Jobs that should be on it and are not were deleted elsewhere, if none came meanwhile. */
  mergePage(jobs: readonly Job[], isLast: boolean, known: ReadonlySet<string>): void {
    for (const job of jobs) this.merge(job);
    this.#first ??= jobs[0]?.createdAt ?? "";
    const listed = new Set(jobs.map(({ id }) => id));
    const oldest = jobs.at(-1);
    for (const job of this.all) {
      const isCovered = isLast || (oldest !== undefined && newestFirst(job, oldest) < 0);
      if (isCovered && known.has(job.id) && !listed.has(job.id)) this.#forget(job.id);
    }
  }

  /** A job that was deleted. */
  remove(id: string): void {
    const job = this.#jobs.get(id);
    if (job) this.#deleted.set(id, job.version);
    this.#forget(id);
  }

  clear(): void {
    this.#jobs.clear();
    this.#deleted.clear();
    this.#first = null;
    this.#tell(null, null);
  }

  #forget(id: string): void {
    if (this.#jobs.delete(id)) this.#tell(null, null);
  }

  #tell(changed: Job | null, before: Job | null): void {
    for (const listener of [...this.#listeners]) listener(changed, before);
  }
}

function newestFirst(a: Job, b: Job): number {
  if (a.createdAt === b.createdAt) return a.id < b.id ? 1 : -1;
  return a.createdAt < b.createdAt ? 1 : -1;
}
