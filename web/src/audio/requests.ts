// A stem's sound over a network that is slow, breaks off, or says no: links that expired are asked for anew, and what
// failed is tried again, a little later each time.

import type { StemSource } from "./player.ts";
import { bytesOf, fileOf, parseIndex, type StemIndex } from "./stem-index.ts";

/** Sound that cannot be had; its message is for a person. */
export class SoundError extends Error {}

/** Seconds before each further try. */
const PAUSES = [0.5, 1, 2, 4];
/** Seconds that an answer may take: as long as a run, at a tenth of the speed that playing needs. */
const LONGEST = 40;

/** What the network and the clock are to this; a test has its own. */
export interface Wire {
  readonly fetch: (url: string, options: RequestInit) => Promise<Response>;
  readonly wait: (seconds: number) => Promise<void>;
}

const BROWSER: Wire = {
  fetch: (url, options) => fetch(url, options),
  wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
};

/** What is wanted of a file: all of it, or the bytes from `start` up to but without `end`, where there is one. */
export type Bytes = { readonly start: number; readonly end?: number } | null;

/** Files behind links that expire. */
export class Linked<File extends string> {
  readonly #name: string;
  readonly #ask: () => Promise<Readonly<Record<File, string>>>;
  readonly #wire: Wire;
  #links: Promise<Readonly<Record<File, string>>> | null = null;

  /** @param name What it is, for a person. */
  constructor(name: string, ask: () => Promise<Readonly<Record<File, string>>>, wire = BROWSER) {
    this.#name = name;
    this.#ask = ask;
    this.#wire = wire;
  }

  /**
   * Fetch a file, or a piece of it, until it is there.
   *
   * @param read What to make of the answer; where that fails, the answer is asked for again.
   * @throws SoundError, after several tries, or one with a new link; else what the signal was aborted with.
   */
  async get<T>(file: File, bytes: Bytes, signal: AbortSignal, read: (answer: Response) => Promise<T>): Promise<T> {
    let renewed = false;
    for (let tries = 0; ; ) {
      const answer = await this.#try(file, bytes, signal, read);
      if (typeof answer === "object") return answer.read;
      if (answer === "gone") throw new SoundError(`The service does not have ${this.#name} any more.`);
      if (answer === "refused") {
        if (renewed) throw new SoundError(`The link to ${this.#name} is refused, and a new one as well.`);
        renewed = true;
        continue;
      }
      await this.#pause(tries++, signal);
    }
  }

  /** A whole file as it arrives, with its size; what breaks off goes on where it was. */
  async *stream(file: File, signal: AbortSignal): AsyncGenerator<{ bytes: Uint8Array<ArrayBuffer>; size: number }> {
    let size: number | null = null;
    let at = 0;
    let tries = 0;
    do {
      const before = at;
      const answer = await this.get(file, at === 0 ? null : { start: at }, signal, async (answer) => answer);
      size ??= Number(answer.headers.get("content-length"));
      try {
        for await (const bytes of readAll(answer.body as ReadableStream<Uint8Array<ArrayBuffer>>)) {
          at += bytes.length;
          yield { bytes, size };
        }
      } catch {
        signal.throwIfAborted();
        if (at > before) tries = 0;
        await this.#pause(tries++, signal);
      }
    } while (at < size);
  }

  async #pause(tries: number, signal: AbortSignal): Promise<void> {
    const seconds = PAUSES[tries];
    if (seconds === undefined)
      throw new SoundError(`The network does not bring ${this.#name}. Look at it, and try again.`);
    await this.#wire.wait(seconds);
    signal.throwIfAborted();
  }

  async #try<T>(file: File, bytes: Bytes, signal: AbortSignal, read: (answer: Response) => Promise<T>) {
    this.#links ??= this.#ask();
    const links = this.#links;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), LONGEST * 1000);
    try {
      const url = (await links)[file];
      const headers: HeadersInit = bytes ? { Range: `bytes=${bytes.start}-${bytes.end ? bytes.end - 1 : ""}` } : {};
      const answer = await this.#wire.fetch(url, { headers, signal: AbortSignal.any([signal, late.signal]) });
      if (answer.status === 401 || answer.status === 403) {
        if (this.#links === links) this.#links = null;
        return "refused";
      }
      if ([404, 410, 416].includes(answer.status)) return "gone";
      return answer.status === (bytes ? 206 : 200) ? { read: await read(answer) } : "late";
    } catch {
      signal.throwIfAborted();
      if (this.#links === links) this.#links = null;
      return "late";
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What a stream holds: not every browser iterates over one by itself. */
export async function* readAll<T>(stream: ReadableStream<T>): AsyncGenerator<T, void, void> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** A stem's two files. */
export class StemFiles {
  readonly name: string;
  readonly #files: Linked<"audio" | "index">;

  constructor(source: StemSource, wire = BROWSER) {
    this.name = source.name;
    this.#files = new Linked(`the sound of ${source.name}`, () => source.links(), wire);
  }

  async index(signal: AbortSignal): Promise<StemIndex> {
    const bytes = await this.#files.get("index", null, signal, (answer) => answer.arrayBuffer());
    try {
      return parseIndex(bytes);
    } catch {
      throw new SoundError(`The index of ${this.name} cannot be read.`);
    }
  }

  /** Frames from `first` up to but without `end`, as a FLAC file. */
  run(index: StemIndex, first: number, end: number, signal: AbortSignal): Promise<ArrayBuffer> {
    const bytes = bytesOf(index, first, end);
    return this.#files.get("audio", bytes, signal, async (answer) => {
      const frames = new Uint8Array(await answer.arrayBuffer());
      if (frames.length !== bytes.end - bytes.start) throw new Error("A piece of another length.");
      return fileOf(index, first, end, frames);
    });
  }
}

/** A stem that can be fetched. */
export interface OpenStem {
  readonly files: StemFiles;
  readonly index: StemIndex;
}

/** Read the indexes of all stems of a song. */
export async function openStems(
  sources: readonly StemSource[],
  signal: AbortSignal,
  wire?: Wire,
): Promise<readonly OpenStem[]> {
  const stems = await Promise.all(
    sources.map(async (source) => {
      const files = new StemFiles(source, wire);
      return { files, index: await files.index(signal) };
    }),
  );
  const [first] = stems;
  if (!first) throw new SoundError("There is no stem to play.");
  for (const { files, index } of stems)
    if (index.sampleRate !== first.index.sampleRate || index.frameSamples !== first.index.frameSamples)
      throw new SoundError(`${files.name} and ${first.files.name} have different sample rates.`);
  return stems;
}
