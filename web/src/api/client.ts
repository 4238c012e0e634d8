// The HTTP API, as the page uses it. What a fetch cannot tell apart for a page - a token that is refused has no CORS
// header everywhere - is told apart here, once.

import type { Auth } from "./auth.ts";
import { isAbort, offline, Refusal, refusalOf } from "./errors.ts";
import type { components } from "./schema.ts";

type Schemas = components["schemas"];
export type Job = Schemas["JobView"];
export type JobConfig = Schemas["JobConfig"];
export type Quota = Schemas["QuotaView"];
export type JobFile = Schemas["FileView"];
export type JobStatus = Schemas["Status"];
export type UploadLink = Schemas["UploadView"];
export type Created = Schemas["CreatedJob"];
export type SongRequest = Schemas["JobRequest"];
export type StemsRequest = Schemas["StemsRequest"];
export type MidiRequest = Schemas["MidiRequest"];
/** What a job begins with, to be uploaded. */
export type JobRequest = SongRequest | StemsRequest | MidiRequest;

export interface Page {
  readonly jobs: Job[];
  /** For the next page; null after the last. */
  readonly cursor: string | null;
}

/** The part of signing in that asking needs. */
export type Tokens = Pick<Auth, "token" | "renew" | "lost">;

export const ENDED: ReadonlySet<JobStatus> = new Set(["completed", "failed", "cancelled"]);

/** All methods throw `Refusal`; a signal that aborts has them throw the browser's AbortError. */
export class Client {
  readonly #api: string;
  readonly #tokens: Tokens;

  constructor(api: string, tokens: Tokens) {
    this.#api = api;
    this.#tokens = tokens;
  }

  /** Jobs, newest first. */
  async jobs(cursor: string | null = null, signal?: AbortSignal): Promise<Page> {
    const query = new URLSearchParams({ limit: "100", ...(cursor ? { cursor } : {}) });
    const page = await this.#ask<Schemas["JobPage"]>("GET", `/v1/jobs?${query}`, { signal });
    return { jobs: page.jobs, cursor: page.cursor ?? null };
  }

  async job(id: string, signal?: AbortSignal): Promise<Job> {
    return this.#ask("GET", path(id), { signal });
  }

  /** Make a job. The same key with the same request makes no second one, and gives new links for what is missing. */
  async create(request: JobRequest, key: string, signal?: AbortSignal): Promise<Created> {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    return this.#ask("POST", "/v1/jobs", { headers, body: JSON.stringify(request), signal });
  }

  /** Try a failed job again. */
  async retry(id: string): Promise<Job> {
    return this.#ask("POST", `${path(id)}/retry`, {});
  }

  /** Cancel a job that goes on, and get it; or delete one that has ended, and get null. One that is gone is deleted. */
  async delete(id: string): Promise<Job | null> {
    try {
      return await this.#ask<Job | null>("DELETE", path(id), {});
    } catch (error) {
      if (error instanceof Refusal && error.code === "job_not_found") return null;
      throw error;
    }
  }

  /** Every file of a job's results, as far as they are there, with links that are good for a while. */
  async files(id: string, signal?: AbortSignal): Promise<JobFile[]> {
    return (await this.#ask<Schemas["FilesView"]>("GET", `${path(id)}/files`, { signal })).files;
  }

  /** What may be taken, and what of it is left. */
  async quota(signal?: AbortSignal): Promise<Quota> {
    return this.#ask("GET", "/v1/quota", { signal });
  }

  async #ask<Answer>(method: string, where: string, more: Asked): Promise<Answer> {
    let token = await this.#tokens.token();
    let answer = await this.#send(method, where, more, token);
    if (answer === null || answer.status === 401) {
      // Either the token was refused, or nobody answered: another token tells which.
      if (await this.#tokens.renew(token)) {
        token = await this.#tokens.token();
        answer = await this.#send(method, where, more, token);
      }
      if (answer === null) throw offline();
    }
    if (answer.status === 204) return null as Answer;
    const body: unknown = await answer.json().catch(() => null);
    if (answer.ok) return body as Answer;
    if (answer.status === 401) this.#tokens.lost();
    throw refusalOf(answer.status, body, answer.headers.get("retry-after"));
  }

  async #send(method: string, where: string, more: Asked, token: string): Promise<Response | null> {
    const { headers, body = null, signal = null } = more;
    try {
      const all = { ...headers, authorization: `Bearer ${token}` };
      return await fetch(this.#api + where, { method, headers: all, body, signal });
    } catch (error) {
      if (isAbort(error)) throw error;
      return null;
    }
  }
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

function path(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}
