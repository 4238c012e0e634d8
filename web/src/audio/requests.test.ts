import { expect, test } from "vitest";
import { openStems, StemFiles, type Wire } from "./requests.ts";
import { parseIndex } from "./stem-index.ts";

const NUMBERS = Uint32Array.of(1, 44_100, 4_410, 8_820, 50, 60, 75);
const INDEX = new Uint8Array(NUMBERS.byteLength + 50);
INDEX.set(new Uint8Array(NUMBERS.buffer));
const never = new AbortController().signal;

/** A network that answers as it is told: a status, or null for none at all. */
function network(...answers: (number | null)[]) {
  const seen = { urls: [] as string[], ranges: [] as (string | null)[], waits: [] as number[], links: 0 };
  const wire: Wire = {
    fetch: async (url, { headers, signal }) => {
      signal?.throwIfAborted();
      seen.urls.push(url);
      seen.ranges.push(new Headers(headers).get("range"));
      const status = answers.shift() ?? null;
      if (status === null) throw new TypeError("no network");
      if (status === 200) return new Response(INDEX, { status });
      return new Response(new Uint8Array(10), { status });
    },
    wait: async (seconds) => {
      seen.waits.push(seconds);
    },
  };
  const source = {
    name: "bass",
    links: async () => ({ audio: `audio?${++seen.links}`, index: `index?${seen.links}` }),
  };
  return { files: new StemFiles(source, wire), source, wire, seen };
}

const index = parseIndex(INDEX.buffer);

test("a run is asked for by its bytes", async () => {
  const { files, seen } = network(206);
  expect((await files.run(index, 0, 1, never)).byteLength).toBe(60);
  expect(seen).toMatchObject({ urls: ["audio?1"], ranges: ["bytes=50-59"], waits: [] });
});

test("what breaks is tried again, later each time, and given up in words", async () => {
  const broken = network(null, 503, 206);
  await broken.files.run(index, 0, 1, never);
  expect(broken.seen.waits).toEqual([0.5, 1]);
  const dead = network(null, null, null, null, null, 206);
  await expect(dead.files.run(index, 0, 1, never)).rejects.toThrow("The network does not bring the sound of bass.");
  expect(dead.seen.waits).toEqual([0.5, 1, 2, 4]);
});

test("an expired link is renewed at once, and once", async () => {
  const expired = network(206, 403, 206);
  await expired.files.run(index, 0, 1, never);
  await expired.files.run(index, 0, 1, never);
  expect(expired.seen).toMatchObject({ urls: ["audio?1", "audio?1", "audio?2"], waits: [] });
  const refused = network(403, 403, 206);
  await expect(refused.files.run(index, 0, 1, never)).rejects.toThrow("bass is refused, and a new one as well");
});

test("what is gone is not asked for again", async () => {
  const { files, seen } = network(404, 206);
  await expect(files.run(index, 0, 1, never)).rejects.toThrow("does not have the sound of bass any more");
  expect(seen.urls).toHaveLength(1);
});

test("a piece of another length is not taken", async () => {
  const { files, seen } = network(206, 206, 206, 206, 206);
  await expect(files.run(index, 1, 2, never)).rejects.toThrow("does not bring");
  expect(seen.urls).toHaveLength(5);
});

test("who is not wanted any more stops at once", async () => {
  const abort = new AbortController();
  const { files, seen } = network(null, 206);
  const asked = files.run(index, 0, 1, abort.signal);
  abort.abort();
  await expect(asked).rejects.toThrow("abort");
  expect(seen.waits).toEqual([]);
});

test("stems open together, or say what is wrong", async () => {
  const { source, wire } = network(200, 200);
  const stems = await openStems([source, source], never, wire);
  expect(stems.map(({ index: { samples } }) => samples)).toEqual([8_820, 8_820]);
  await expect(openStems([], never, wire)).rejects.toThrow("no stem");
  const other = network(206);
  await expect(openStems([other.source], never, other.wire)).rejects.toThrow("does not bring");
});
