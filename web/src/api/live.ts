// Jobs as they change: told by the WebSocket, and asked for every five seconds while there is none. A connection that
// was lost missed what happened, so that each one begins with the list.

import type { Scope } from "../scope.ts";
import type { Client, Tokens } from "./client.ts";
import { Refusal } from "./errors.ts";
import { JobList } from "./joblist.ts";

/** "connecting": not yet, and no poll has come; "live": told; "polling": asked for; "offline": nobody answers. */
export type LiveState = "connecting" | "live" | "polling" | "offline";

const POLL_SECONDS = 5;
/** API Gateway closes what is silent for ten minutes. */
const PING_SECONDS = 300;
const LONGEST_WAIT_SECONDS = 30;
/** A job that is worked on is told of each second: a connection that says nothing for longer may be dead. */
const SILENCE_SECONDS = 15;

/** What is needed of a WebSocket. */
export type Socket = Pick<WebSocket, "send" | "close" | "addEventListener" | "readyState">;

export interface LiveParts {
  readonly client: Pick<Client, "jobs" | "job">;
  readonly tokens: Pick<Tokens, "token">;
  /** Address of the WebSocket API. */
  readonly address: string;
  readonly scope: Scope;
  /** In place of the browser's, for tests. */
  readonly open?: (address: string) => Socket;
}

/** The jobs of whoever is signed in. Make one for each sign-in; its scope ends it. */
export class Live {
  readonly jobs = new JobList();
  readonly #parts: LiveParts;
  readonly #listeners = new Set<() => void>();
  #state: LiveState = "connecting";
  #socket: Socket | null = null;
  #wait = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heard = 0;
  #connecting = false;
  #polling = false;

  constructor(parts: LiveParts) {
    this.#parts = parts;
    const { scope } = parts;
    scope.add(() => {
      clearTimeout(this.#timer);
      this.#socket?.close();
    });
    scope.every(POLL_SECONDS, () => void this.#look());
    scope.every(PING_SECONDS, () => this.#say({ action: "ping" }));
    void this.#connect();
    void this.refresh();
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Call `changed` after each change of state; returns what ends it. */
  onState(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Connect now, not when the wait is over: the network is back. */
  wake(): void {
    this.#wait = 1;
    if (this.#state !== "live") {
      void this.#connect();
      void this.refresh();
    }
  }

  /** Ask for the list; also when the browser says that it is offline, so that the state says so, too. */
  async refresh(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      const known = new Set(this.jobs.all.map(({ id }) => id));
      const page = await this.#parts.client.jobs(null, this.#parts.scope.signal);
      this.jobs.mergePage(page.jobs, page.cursor === null, known);
      if (this.#state !== "live") this.#become("polling");
    } catch (error) {
      if (!(error instanceof Refusal && error.code === "offline")) return;
      this.#socket?.close(); // a network that is gone does not close it
      this.#become("offline");
    } finally {
      this.#polling = false;
    }
  }

  async #look(): Promise<void> {
    const isWorkedOn = this.jobs.all.some(({ status }) => status === "processing");
    const isSilent = Date.now() - this.#heard > SILENCE_SECONDS * 1000;
    if (this.#state !== "live" || (isWorkedOn && isSilent)) await this.refresh();
    // How long the queue takes is said of each job by itself alone.
    const queued = this.jobs.all.filter(({ status }) => status === "queued").slice(-3);
    for (const { id } of queued) {
      await this.#parts.client.job(id, this.#parts.scope.signal).then(
        (job) => this.jobs.merge(job),
        () => undefined, // the next time will tell
      );
    }
  }

  async #connect(): Promise<void> {
    const { scope, tokens, address, open = (where) => new WebSocket(where) } = this.#parts;
    if (this.#connecting || this.#socket || scope.signal.aborted) return;
    this.#connecting = true;
    try {
      const token = await tokens.token();
      if (scope.signal.aborted) return;
      const socket = open(`${address}?token=${encodeURIComponent(token)}`);
      this.#socket = socket;
      socket.addEventListener("open", () => this.#say({ action: "subscribe" }));
      socket.addEventListener("message", ({ data }) => this.#hear(data));
      socket.addEventListener("close", () => this.#closed());
    } catch (error) {
      // Whoever is signed out is told so by the list, which is asked for as well.
      if (!(error instanceof Refusal && error.code === "signed_out")) this.#again();
    } finally {
      this.#connecting = false;
    }
  }

  #hear(data: unknown): void {
    if (this.#parts.scope.signal.aborted) return;
    this.#heard = Date.now();
    const message = typeof data === "string" ? JSON.parse(data) : null;
    if (message?.type === "job") this.jobs.merge(message.job);
    else if (message?.type === "subscribed") {
      this.#wait = 1;
      this.#become("live");
      void this.refresh();
    } else if (message?.type !== "pong") {
      // Too many connections, or an API that could not call its function: the poll does meanwhile.
      this.#socket?.close();
    }
  }

  #closed(): void {
    this.#socket = null;
    if (this.#parts.scope.signal.aborted) return;
    if (this.#state === "live") this.#become("polling");
    this.#again();
    void this.refresh();
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), this.#wait * 1000);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_SECONDS);
  }

  #say(message: object): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #become(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
