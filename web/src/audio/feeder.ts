// Brings one stem's cells: fetches a run at a time, decodes it, hands the cells over, and knows which are held.

import { CELL_FRAMES, type Cells, type Measure, nextRun, useless } from "./cells.ts";
import type { Decode } from "./decoding.ts";
import type { Channels } from "./mixing.ts";
import type { OpenStem } from "./requests.ts";
import { samplesOf } from "./stem-index.ts";
import type { Range } from "./timeline.ts";

/** Where cells go. */
export interface Outlet {
  put(cell: number, channels: Channels): void;
  drop(cells: readonly number[]): void;
  /** A run has come: there may be more to fetch. */
  more(): void;
  failed(error: unknown): void;
}

export class Feeder {
  readonly #stem: OpenStem;
  readonly #decode: Decode;
  readonly #outlet: Outlet;
  readonly #held = new Set<number>();
  #run: { readonly cells: Cells; readonly abort: AbortController } | null = null;

  constructor(stem: OpenStem, decode: Decode, outlet: Outlet) {
    this.#stem = stem;
    this.#decode = decode;
    this.#outlet = outlet;
  }

  /** How many cells are held. */
  get held(): number {
    return this.#held.size;
  }

  /** Fetch what is missing of what is to be heard. What is under way and not the next any more, as after a seek, ends. */
  feed(stretches: readonly Range[], measure: Measure): void {
    const next = nextRun(stretches, this.#held, measure);
    if (this.#run) {
      const { start, end } = this.#run.cells;
      if (!next || (start <= next.start && next.start < end)) return;
      this.#run.abort.abort();
      this.#run = null;
    }
    if (next) void this.#fetch(next);
  }

  /** Let go of all but what is in `stretches`. */
  trim(stretches: readonly Range[], measure: Measure): void {
    const cells = useless(stretches, this.#held, measure.cell);
    if (cells.length === 0) return;
    for (const cell of cells) this.#held.delete(cell);
    this.#outlet.drop(cells);
  }

  close(): void {
    this.#run?.abort.abort();
    this.#run = null;
  }

  async #fetch(cells: Cells): Promise<void> {
    const abort = new AbortController();
    const run = { cells, abort };
    this.#run = run;
    try {
      const { files, index } = this.#stem;
      const first = cells.start * CELL_FRAMES;
      const end = Math.min(cells.end * CELL_FRAMES, index.frames);
      const file = await files.run(index, first, end, abort.signal);
      const sound = await this.#decode(file, samplesOf(index, first, end));
      if (this.#run !== run) return;
      this.#run = null;
      const cell = CELL_FRAMES * index.frameSamples;
      for (let place = cells.start; place < cells.end; place++) {
        const at = (place - cells.start) * cell;
        this.#held.add(place);
        this.#outlet.put(place, [sound[0].slice(at, at + cell), sound[1].slice(at, at + cell)]);
      }
      this.#outlet.more();
    } catch (error) {
      if (this.#run !== run) return;
      this.#run = null;
      this.#outlet.failed(error);
    }
  }
}
