import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Scope } from "../scope.ts";
import type { Job, Page } from "./client.ts";
import { offline, signedOut } from "./errors.ts";
import { Live, type Socket } from "./live.ts";

const job = (id: string, version: number, status: Job["status"] = "processing"): Job => ({
  id,
  version,
  status,
  attempt: 1,
  progress: 0,
  config: {},
  createdAt: `2026-01-01T00:00:0${id}Z`,
  expiresAt: "2026-01-08T00:00:00Z",
  source: { bytes: 1, filename: "a.mp3" },
});

/** One connection, from the server's side. */
class Wire extends EventTarget implements Socket {
  readyState = 0;
  readonly sent: unknown[] = [];
  constructor(readonly address: string) {
    super();
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }
  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  say(message: object): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(message) }));
  }
}

let scope: Scope;
let wires: Wire[];
let list: () => Promise<Page>;
let polls: number;
let one: (id: string) => Promise<Job>;
let token: () => Promise<string>;

beforeEach(() => {
  vi.useFakeTimers();
  scope = new Scope();
  wires = [];
  polls = 0;
  list = async () => ({ jobs: [], cursor: null });
  one = async (id) => job(id, 1);
  token = async () => "t+1";
});
afterEach(() => {
  scope.close();
  vi.useRealTimers();
});

function made(): Live {
  const client = {
    jobs: () => {
      polls += 1;
      return list();
    },
    job: (id: string) => one(id),
  };
  const open = (address: string) => {
    const wire = new Wire(address);
    wires.push(wire);
    return wire;
  };
  return new Live({ client, tokens: { token: () => token() }, address: "wss://live/v1", scope, open });
}
const after = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

test("it connects with the token, subscribes to all, and hears of changes", async () => {
  const live = made();
  await after(0);
  expect(wires[0]?.address).toBe("wss://live/v1?token=t%2B1");
  wires[0]?.open();
  expect(wires[0]?.sent).toEqual([{ action: "subscribe" }]);
  wires[0]?.say({ type: "subscribed", jobId: null });
  wires[0]?.say({ type: "job", job: job("1", 3) });
  wires[0]?.say({ type: "job", job: job("1", 2) });
  expect(live.state).toBe("live");
  expect(live.jobs.get("1")?.version).toBe(3);
});

test("while there is no connection it asks every five seconds, and then no more", async () => {
  list = async () => ({ jobs: [job("1", polls, "completed")], cursor: null });
  const live = made();
  await after(0);
  expect([live.state, polls]).toEqual(["polling", 1]);
  await after(15);
  expect(polls).toBe(4);
  expect(live.jobs.get("1")?.version).toBe(4);
  wires[0]?.open();
  wires[0]?.say({ type: "subscribed" });
  await after(60);
  expect(polls).toBe(5); // once more, for what was missed
});

test("a connection that is lost is made again after waits that grow, and the list asked for", async () => {
  const live = made();
  await after(0);
  wires[0]?.open();
  wires[0]?.say({ type: "subscribed" });
  wires[0]?.close();
  expect(live.state).toBe("polling");
  const seconds: number[] = [];
  for (let second = 0; second < 40; second++) {
    const before = wires.length;
    await after(1);
    if (wires.length > before) seconds.push(second + 1);
    wires.at(-1)?.close();
  }
  expect(seconds).toEqual([1, 3, 7, 15, 31]);
  live.wake();
  await after(0);
  wires.at(-1)?.open();
  wires.at(-1)?.say({ type: "subscribed" });
  expect(live.state).toBe("live");
});

test("a refusal on the connection leaves it to the polls", async () => {
  const live = made();
  await after(0);
  wires[0]?.open();
  wires[0]?.say({ type: "error", error: { code: "too_many_connections", message: "" } });
  expect(wires[0]?.readyState).toBe(3);
  expect(live.state).toBe("polling");
});

test("it pings, so that silence closes nothing", async () => {
  made();
  await after(0);
  wires[0]?.open();
  wires[0]?.say({ type: "subscribed" });
  await after(300);
  expect(wires[0]?.sent).toContainEqual({ action: "ping" });
});

test("nobody answers: it says so until somebody does", async () => {
  list = async () => {
    throw offline();
  };
  const live = made();
  await after(0);
  expect(live.state).toBe("offline");
  list = async () => ({ jobs: [], cursor: null });
  await after(5);
  expect(live.state).toBe("polling");
});

test("whoever is signed out is not connected", async () => {
  token = async () => {
    throw signedOut();
  };
  list = async () => {
    throw signedOut();
  };
  made();
  await after(60);
  expect(wires).toEqual([]);
});

test("jobs in the queue are asked for one by one, for their time", async () => {
  list = async () => ({ jobs: [job("1", 1, "queued"), job("2", 1)], cursor: null });
  const asked: string[] = [];
  one = async (id) => {
    asked.push(id);
    return { ...job(id, 1, "queued"), estimatedTimeRemaining: 50 };
  };
  const live = made();
  await after(5);
  expect(asked).toEqual(["1"]);
  expect(live.jobs.get("1")?.estimatedTimeRemaining).toBe(50);
});

test("closing its scope ends all of it", async () => {
  made();
  await after(0);
  wires[0]?.open();
  scope.close();
  const before = polls;
  await after(120);
  expect(wires[0]?.readyState).toBe(3);
  expect([wires.length, polls]).toEqual([1, before]);
});

test("a connection that says nothing of a job that goes on is not trusted, and given up where nobody answers", async () => {
  list = async () => ({ jobs: [job("1", polls)], cursor: null });
  const live = made();
  await after(0);
  wires[0]?.open();
  wires[0]?.say({ type: "subscribed" });
  await after(0);
  const before = polls;
  await after(15);
  expect(polls).toBe(before);
  await after(5);
  expect(polls).toBe(before + 1);
  expect(live.state).toBe("live");
  list = async () => {
    throw offline();
  };
  await after(5);
  expect([live.state, wires[0]?.readyState]).toEqual(["offline", 3]);
});
