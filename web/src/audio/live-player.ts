// The player: stems' sound flows from the network through feeders into the mixer, in the audio thread. What feeds it
// hangs on the mixer's reports alone, for a hidden tab has no frames of animation, and its timers are slow.

import { Scope } from "../scope.ts";
import { CELL_FRAMES, type Measure } from "./cells.ts";
import { decoder } from "./decoding.ts";
import { Feeder } from "./feeder.ts";
import type { Command, Report, Shape } from "./mixer.ts";
import workletUrl from "./mixer.worklet.ts?worker&url";
import type { Player, PlayerState, StemSource } from "./player.ts";
import { type OpenStem, openStems, SoundError } from "./requests.ts";
import { advance, ahead, clamp, fitted, type Range, type Timeline } from "./timeline.ts";

/** Seconds of sound to hold: before it is heard, of five stems or fewer; after it; and while nothing plays. */
const AHEAD = 12;
const BEHIND = 2;
const IDLE = 2;
/** Seconds of sound, of all stems together, to hold at most ahead. */
const TOGETHER = 60;
/** Seconds of a run. */
const SHORTEST_RUN = 0.5;
const LONGEST_RUN = 4;

/** What it plays on, at the song's rate: any other would resample it. A test gives its own. */
export type Output = (sampleRate: number) => AudioNode;

const speakers: Output = (sampleRate) => new AudioContext({ sampleRate }).destination;

/**
 * Make stems ready to play: their indexes are read, and the sound at the beginning is on its way.
 *
 * @throws SoundError with a message for a person.
 */
export async function openPlayer(
  sources: readonly StemSource[],
  signal = new AbortController().signal,
  output = speakers,
): Promise<Player> {
  const stems = await openStems(sources, signal);
  const node = output((stems[0] as OpenStem).index.sampleRate);
  try {
    await node.context.audioWorklet.addModule(workletUrl);
    signal.throwIfAborted();
    return new LivePlayer(stems, node);
  } catch (error) {
    if (node.context instanceof AudioContext) void node.context.close();
    throw error;
  }
}

class LivePlayer implements Player {
  readonly sampleRate: number;
  readonly samples: number;
  error: string | null = null;
  readonly #names: readonly string[];
  readonly #context: BaseAudioContext;
  readonly #mixer: AudioWorkletNode;
  readonly #feeders: readonly Feeder[];
  readonly #measures: readonly Measure[];
  readonly #scope = new Scope();
  readonly #listeners = new Set<() => void>();
  #state: PlayerState = "paused";
  #playing = false;
  /** Whether the context has been told to rest, and not been woken since. */
  #resting = false;
  #loop: Range | null = null;
  /** The last seek; the mixer's reports of before are of no concern any more. */
  #sought = { sample: 0, turn: 0 };
  /** The turn in which the song came to its end. */
  #ended = -1;
  /** The one that is heard now, and those after it. */
  #reports: Report[] = [];

  constructor(stems: readonly OpenStem[], output: AudioNode) {
    const { context } = output;
    const indexes = stems.map(({ index }) => index);
    const { sampleRate, frameSamples } = indexes[0] as (typeof indexes)[0];
    const cell = CELL_FRAMES * frameSamples;
    const shape: Shape = { sampleRate, cell, lengths: indexes.map(({ samples }) => samples) };
    this.sampleRate = sampleRate;
    this.samples = Math.max(...shape.lengths);
    this.#names = stems.map(({ files }) => files.name);
    this.#context = context;
    const longestRun = Math.min(LONGEST_RUN, this.#ahead(stems.length) / 3) * sampleRate;
    this.#measures = shape.lengths.map((length) => ({
      cell,
      length,
      shortestRun: SHORTEST_RUN * sampleRate,
      longestRun,
      plenty: this.#ahead(stems.length) * sampleRate - longestRun,
    }));
    this.#mixer = new AudioWorkletNode(context, "mixer", {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { shape, gains: stems.map(() => 1) },
    });
    this.#mixer.connect(output);
    this.#mixer.port.onmessage = ({ data }: MessageEvent<Report>) => this.#hear(data);
    this.#mixer.onprocessorerror = () => this.#fail(new SoundError("The browser's sound broke down. Play again."));
    this.#scope.add(() => {
      this.#tell({ do: "end" });
      this.#mixer.disconnect();
    });
    if (context instanceof AudioContext) {
      this.#scope.add(() => void context.close());
      context.addEventListener("statechange", () => this.#stopped(), { signal: this.#scope.signal });
    }
    const decode = decoder(sampleRate);
    this.#feeders = stems.map(
      (stem, place) =>
        new Feeder(stem, decode, {
          put: (index, channels) => this.#tell({ do: "put", stem: place, cell: index, channels }, channels),
          drop: (cells) => this.#tell({ do: "drop", stem: place, cells }),
          more: () => this.#feed(),
          failed: (error) => this.#fail(error),
        }),
    );
    for (const feeder of this.#feeders) this.#scope.add(() => feeder.close());
    this.#feed();
  }

  get state(): PlayerState {
    return this.#state;
  }

  get heldBytes(): number {
    return this.#feeders.reduce((sum, { held }) => sum + held * (this.#measures[0]?.cell ?? 0) * 8, 0);
  }

  position(): number {
    const last = this.#reports.at(-1);
    if (last?.turn !== this.#sought.turn) return this.#sought.sample;
    if (!this.#playing) return last.sample;
    const { report, since } = this.#heard(last);
    if (report.turn !== this.#sought.turn) return this.#sought.sample;
    if (report.doing !== "playing") return report.sample;
    return advance({ samples: this.samples, loop: report.loop }, report.sample, since);
  }

  levels(): readonly number[] {
    const last = this.#reports.at(-1);
    return this.#playing && last ? this.#heard(last).report.levels : this.#names.map(() => 0);
  }

  async play(): Promise<void> {
    if (this.#scope.signal.aborted) return;
    this.error = null;
    if (this.position() >= this.samples) this.seek(this.#loop?.start ?? 0);
    this.#playing = true;
    this.#tell({ do: "play" });
    this.#feed();
    this.#settle();
    if (!(this.#context instanceof AudioContext)) return;
    await this.#context.resume();
    this.#resting = false;
  }

  pause(): void {
    if (!this.#playing) return;
    this.#playing = false;
    this.#tell({ do: "pause" });
    this.#settle();
  }

  seek(sample: number): void {
    this.#sought = { sample: clamp(Math.round(sample), 0, this.samples), turn: this.#sought.turn + 1 };
    this.#tell({ do: "seek", ...this.#sought });
    this.#feed();
    this.#settle();
  }

  loop(range: Range | null): void {
    this.#loop = fitted(this.samples, range);
    this.#tell({ do: "loop", loop: this.#loop });
    const position = this.position();
    if (this.#loop && (position < this.#loop.start || position >= this.#loop.end)) this.seek(this.#loop.start);
    else this.#feed();
  }

  gain(stem: string, value: number): void {
    this.#names.forEach((name, place) => {
      if (name === stem) this.#tell({ do: "gain", stem: place, value });
    });
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  close(): void {
    this.#playing = false;
    this.#listeners.clear();
    this.#scope.close();
  }

  get #timeline(): Timeline {
    return { samples: this.samples, loop: this.#loop };
  }

  #ahead(stems: number): number {
    return Math.min(AHEAD, TOGETHER / stems);
  }

  /** What is moved to the mixer is not kept here. */
  #tell(command: Command, channels?: readonly [Float32Array, Float32Array]): void {
    this.#mixer.port.postMessage(command, channels?.map(({ buffer }) => buffer as ArrayBuffer) ?? []);
  }

  #hear(report: Report): void {
    if (this.#scope.signal.aborted) return;
    this.#reports.push(report);
    this.#heard(report);
    if (report.turn !== this.#sought.turn) return;
    this.#feed(report);
    this.#settle();
    // Not before all has been heard: what is left in the device would be heard when it goes on.
    if (!this.#playing && this.#heard(report).report.doing === "paused") this.#rest();
  }

  #rest(): void {
    if (this.#resting || !(this.#context instanceof AudioContext)) return;
    this.#resting = true;
    void this.#context.suspend();
  }

  /** The system may take the sound away, as a telephone does for a call. */
  #stopped(): void {
    if (this.#context.state !== "running" && !this.#resting) this.pause();
  }

  /** Fetch what is missing from here on; and, where the mixer says where it is, let go of what lies behind. */
  #feed(report?: Report): void {
    const last = report ?? this.#reports.at(-1);
    const sample = last?.turn === this.#sought.turn ? last.sample : this.#sought.sample;
    const seconds = this.#playing ? this.#ahead(this.#names.length) : IDLE;
    const wanted = ahead(this.#timeline, sample, seconds * this.sampleRate);
    const kept = [
      { start: sample - BEHIND * this.sampleRate, end: sample },
      ...ahead(this.#timeline, sample, AHEAD * this.sampleRate),
    ];
    // After a seek the mixer still fades out what it played, until it reports; if it rests, it plays nothing.
    const settled = report !== undefined || (!this.#playing && this.#context.state !== "running");
    this.#feeders.forEach((feeder, place) => {
      const measure = this.#measures[place] as Measure;
      if (settled) feeder.trim(kept, measure);
      if (this.error === null) feeder.feed(wanted, measure);
    });
  }

  /** The report that holds for what is heard now, and for how many samples it has. */
  #heard(last: Report): { report: Report; since: number } {
    const frame = this.#frame();
    while ((this.#reports[1]?.frame ?? Infinity) <= frame) this.#reports.shift();
    const report = this.#reports[0] ?? last;
    return { report, since: Math.max(0, frame - report.frame) };
  }

  /** The context's sample that leaves the device now. */
  #frame(): number {
    const context = this.#context;
    let seconds = context.currentTime;
    if (context instanceof AudioContext) {
      const { contextTime, performanceTime } = context.getOutputTimestamp();
      if (contextTime && performanceTime)
        seconds = Math.min(seconds, contextTime + (performance.now() - performanceTime) / 1000);
    }
    return Math.floor(seconds * this.sampleRate);
  }

  #fail(error: unknown): void {
    if (this.#scope.signal.aborted) return;
    this.error = error instanceof Error ? error.message : String(error);
    this.pause();
    this.#settle();
  }

  /** Work out the state, and say so if it changed. */
  #settle(): void {
    const state = this.#now();
    if (state === "ended" && this.#playing) {
      this.#playing = false;
      this.#ended = this.#sought.turn;
      this.#tell({ do: "pause" });
    }
    if (state === this.#state) return;
    this.#state = state;
    for (const changed of [...this.#listeners]) changed();
  }

  #now(): PlayerState {
    if (this.error !== null) return "failed";
    if (!this.#playing) return this.#ended === this.#sought.turn ? "ended" : "paused";
    const last = this.#reports.at(-1);
    // Between a seek and its first report: as before, lest the state flicker.
    if (last?.turn !== this.#sought.turn) return this.#state === "playing" ? "playing" : "waiting";
    return last.doing === "ended" || last.doing === "playing" ? last.doing : "waiting";
  }
}
