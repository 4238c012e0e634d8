// One upload: how far it is, as views see it, and as it is while it goes on.

import type { JobRequest } from "./client.ts";
import type { Refusal } from "./errors.ts";
import { Meter } from "./meter.ts";
import type { Begun } from "./shelf.ts";

/**
 * "waiting": for others to be sent; "paused": for the network, or for whoever is signed out, it goes on by itself;
 * "failed": `error` says why, and `retry` tries again; "done": sent, and not taken on by the service yet.
 */
export type UploadState = "waiting" | "sending" | "paused" | "failed" | "done";

export interface UploadPart {
  /** "song", "midi", or a stem's name. */
  readonly name: string;
  readonly bytes: number;
  readonly sent: number;
  /** Whether the service has it. */
  readonly arrived: boolean;
}

export interface Upload {
  readonly key: string;
  readonly title: string;
  readonly state: UploadState;
  /** The job's id, once it is made. */
  readonly job: string | null;
  readonly parts: readonly UploadPart[];
  readonly bytes: number;
  readonly sent: number;
  /** Bytes a second; null while it is not known. */
  readonly speed: number | null;
  readonly secondsLeft: number | null;
  readonly error: Refusal | null;
  /** Whether a reload would go on with it; false where the browser has no room. */
  readonly kept: boolean;
}

/** While it goes on: `Uploads` alone changes it. */
export class Running {
  state: UploadState = "waiting";
  error: Refusal | null = null;
  job: string | null = null;
  /** Whether it is this tab's: another one may have it. */
  isHere = false;
  isDone = false;
  isEnded = false;
  readonly abort = new AbortController();
  readonly #meter = new Meter();
  readonly #parts: Map<string, { bytes: number; sent: number; arrived: boolean }>;
  #wake: (() => void) | null = null;

  constructor(
    readonly begun: Begun,
    public kept: boolean,
  ) {
    const parts = [...begun.files].map(
      ([name, file]) => [name, { bytes: file.size, sent: 0, arrived: false }] as const,
    );
    this.#parts = new Map(parts);
  }

  /** How many parts the service has. */
  get arrived(): number {
    return [...this.#parts.values()].filter(({ arrived }) => arrived).length;
  }

  view(now: number): Upload {
    const parts = [...this.#parts].map(([name, part]) => ({ name, ...part }));
    const sum = (of: "bytes" | "sent") => parts.reduce((total, part) => total + part[of], 0);
    const [bytes, sent] = [sum("bytes"), sum("sent")];
    const goes = this.state === "sending";
    return {
      key: this.begun.key,
      title: titleOf(this.begun.request),
      state: this.state,
      job: this.job,
      parts,
      bytes,
      sent,
      speed: goes ? this.#meter.speed(now) : null,
      secondsLeft: goes ? this.#meter.left(bytes - sent, now) : null,
      error: this.error,
      kept: this.kept,
    };
  }

  /** The service says which parts it does not have; of those nothing has been sent. */
  missing(names: ReadonlySet<string>): void {
    for (const [name, part] of this.#parts) {
      part.arrived = !names.has(name);
      part.sent = part.arrived ? part.bytes : 0;
    }
  }

  note(name: string, bytes: number, now: number): void {
    const part = this.#parts.get(name);
    if (part) part.sent = Math.min(bytes, part.bytes);
    this.#meter.note(this.view(now).sent, now);
  }

  has(name: string): void {
    const part = this.#parts.get(name);
    if (part) Object.assign(part, { sent: part.bytes, arrived: true });
  }

  /** Wait as many seconds, or until something wakes it. */
  async sleep(seconds: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener("abort", this.#wake, { once: true });
    });
    signal.throwIfAborted();
  }

  wake(): void {
    this.#wake?.();
  }
}

function titleOf(request: JobRequest): string {
  if (request.title) return request.title;
  if ("stems" in request) return request.stems[0]?.filename ?? "";
  return "midi" in request ? request.midi.filename : request.filename;
}
