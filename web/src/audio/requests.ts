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

type Links = Awaited<ReturnType<StemSource["links"]>>;

/** A stem's two files. */
export class StemFiles {
  readonly #source: StemSource;
  readonly #wire: Wire;
  #links: Promise<Links> | null = null;

  constructor(source: StemSource, wire = BROWSER) {
    this.#source = source;
    this.#wire = wire;
  }

  get name(): string {
    return this.#source.name;
  }

  async index(signal: AbortSignal): Promise<StemIndex> {
    const bytes = await this.#get("index", null, signal);
    try {
      return parseIndex(bytes);
    } catch {
      throw new SoundError(`The index of ${this.name} cannot be read.`);
    }
  }

  /** Frames from `first` up to but without `end`, as a FLAC file. */
  async run(index: StemIndex, first: number, end: number, signal: AbortSignal): Promise<ArrayBuffer> {
    const frames = await this.#get("audio", bytesOf(index, first, end), signal);
    return fileOf(index, first, end, new Uint8Array(frames));
  }

  async #get(file: keyof Links, range: { start: number; end: number } | null, signal: AbortSignal) {
    let renewed = false;
    for (let tries = 0; ; ) {
      const answer = await this.#ask(file, range, signal);
      if (answer instanceof ArrayBuffer) return answer;
      if (answer === "refused") {
        if (renewed) throw new SoundError(`The link to ${this.name} is refused, and a new one as well.`);
        renewed = true;
      } else if (answer === "gone") {
        throw new SoundError(`The sound of ${this.name} is not there any more.`);
      } else {
        const pause = PAUSES[tries++];
        if (pause === undefined)
          throw new SoundError(`The sound of ${this.name} does not arrive. Look at the network, then play again.`);
        await this.#wire.wait(pause);
        signal.throwIfAborted();
      }
    }
  }

  /** One try. */
  async #ask(
    file: keyof Links,
    range: { start: number; end: number } | null,
    signal: AbortSignal,
  ): Promise<ArrayBuffer | "refused" | "gone" | "late"> {
    this.#links ??= this.#source.links();
    const asked = this.#links;
    try {
      const url = (await asked)[file];
      const answer = await this.#wire.fetch(url, {
        headers: range ? { Range: `bytes=${range.start}-${range.end - 1}` } : {},
        signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST * 1000)]),
      });
      if (answer.status === 401 || answer.status === 403) {
        if (this.#links === asked) this.#links = null;
        return "refused";
      }
      if (answer.status === 404 || answer.status === 410 || answer.status === 416) return "gone";
      if (answer.status !== (range ? 206 : 200)) return "late";
      const bytes = await answer.arrayBuffer();
      return !range || bytes.byteLength === range.end - range.start ? bytes : "late";
    } catch {
      signal.throwIfAborted();
      if (this.#links === asked) this.#links = null;
      return "late";
    }
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
