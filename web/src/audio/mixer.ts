// What sounds, sample by sample. It runs in the audio thread, and, being free of the browser, in tests. Stems come in
// cells, each a short stretch of one stem; if one stem's next cell is not there, all stems wait for it.

import { add, type Channels, constant, type Fade, pass, turn } from "./mixing.ts";
import { ahead, follow, type Range, stretchEnd, type Timeline } from "./timeline.ts";

/** A song, as the mixer is to know it. */
export interface Shape {
  readonly sampleRate: number;
  /** Samples of each stem; the song is as long as the longest, and a shorter stem is silent after its end. */
  readonly lengths: readonly number[];
  /** Samples in a cell; cell i begins at i times that. */
  readonly cell: number;
}

/** What the mixer is told. */
export type Command =
  | { readonly do: "put"; readonly stem: number; readonly cell: number; readonly channels: Channels }
  | { readonly do: "drop"; readonly stem: number; readonly cells: readonly number[] }
  | { readonly do: "play" | "pause" | "end" }
  /** `turn` is given back by reports from then on. */
  | { readonly do: "seek"; readonly sample: number; readonly turn: number }
  | { readonly do: "loop"; readonly loop: Range | null }
  | { readonly do: "gain"; readonly stem: number; readonly value: number };

export type Doing = "paused" | "playing" | "waiting" | "ended";

/** What the mixer tells, a few times in a tenth of a second, and at each change. */
export interface Report {
  /** The context's sample from which on this holds. */
  readonly frame: number;
  /** The song's sample that is heard then. */
  readonly sample: number;
  readonly doing: Doing;
  readonly loop: Range | null;
  /** Of the last seek. */
  readonly turn: number;
  /** The greatest sample of each stem since the last report, gains applied. */
  readonly levels: readonly number[];
}

/** Seconds of a gain's way to a new value: too short to be noticed, too long to click. */
const GAIN_SECONDS = 0.012;
/** Seconds of each stem that must be there to begin; and to go on after there was not enough, lest it stutter. */
const ENOUGH = { first: 0.25, again: 1 };
/** Blocks between reports: 1,024 samples, when a block has 128. */
const BLOCKS_A_REPORT = 8;

export class Mixer {
  readonly #shape: Shape;
  readonly #cells: Map<number, Channels>[];
  readonly #gains: Fade[];
  #timeline: Timeline;
  #sample = 0;
  #turn = 0;
  #seek: { sample: number; turn: number } | null = null;
  #playing = false;
  /** Whether the last block sounded to its end. */
  #sounding = false;
  /** Whether it waits because it ran out of sound, and not because it has just begun. */
  #dry = false;
  #reported: { doing: Doing; turn: number } = { doing: "paused", turn: 0 };
  /** Blocks until a report is due. */
  #wait = 0;
  #levels: number[];

  constructor(shape: Shape, gains: readonly number[]) {
    this.#shape = shape;
    this.#cells = shape.lengths.map(() => new Map());
    this.#gains = gains.map(constant);
    this.#levels = shape.lengths.map(() => 0);
    this.#timeline = { samples: Math.max(0, ...shape.lengths), loop: null };
  }

  obey(command: Command): void {
    switch (command.do) {
      case "put":
        this.#cells[command.stem]?.set(command.cell, command.channels);
        break;
      case "drop":
        for (const cell of command.cells) this.#cells[command.stem]?.delete(cell);
        break;
      case "play":
        this.#playing = true;
        break;
      case "pause":
        this.#playing = false;
        this.#dry = false;
        break;
      case "seek":
        this.#seek = command;
        break;
      case "loop":
        this.#timeline = { ...this.#timeline, loop: command.loop };
        break;
      case "gain": {
        const fade = this.#gains[command.stem];
        if (fade) turn(fade, command.value, Math.round(GAIN_SECONDS * this.#shape.sampleRate));
      }
    }
  }

  /**
   * Fill a block that is silent with what comes next. What begins and what stops is faded over one block.
   *
   * @param frame The context's sample at which the block begins.
   * @returns A report, if one is due.
   */
  render(mix: Channels, frame: number): Report | null {
    const count = mix[0].length;
    if (!this.#sounding) this.#jump();
    const start = this.#sample;
    const sounds = this.#goesOn(count);
    if (sounds || this.#sounding) {
      const played = this.#mix(mix, count);
      if (sounds !== this.#sounding) slope(mix, played, sounds);
    } else for (const fade of this.#gains) pass(fade, count);
    const ended = this.#sample === this.#timeline.samples;
    this.#sounding = sounds && !ended;
    const doing = !this.#playing ? "paused" : sounds ? "playing" : ended ? "ended" : "waiting";
    return this.#report(frame, start, doing);
  }

  /** Take the place that was sought, once nothing sounds. */
  #jump(): void {
    if (!this.#seek) return;
    this.#sample = this.#seek.sample;
    this.#turn = this.#seek.turn;
    this.#seek = null;
    this.#dry = false;
  }

  /** Whether this block is to sound to its end; then the next is there too, in case that has to fade. */
  #goesOn(count: number): boolean {
    if (!this.#playing || this.#seek || this.#sample >= this.#timeline.samples) return false;
    const enough = Math.round((this.#dry ? ENOUGH.again : ENOUGH.first) * this.#shape.sampleRate);
    const there = this.#has(this.#sounding ? 2 * count : enough);
    if (there) this.#dry = false;
    else if (this.#sounding) this.#dry = true;
    return there;
  }

  /** Whether what is heard in the next `count` samples is there, of every stem. */
  #has(count: number): boolean {
    const { cell, lengths } = this.#shape;
    return ahead(this.#timeline, this.#sample, count).every(({ start, end }) =>
      lengths.every((length, stem) => {
        for (let index = Math.floor(start / cell); index * cell < Math.min(end, length); index++)
          if (!this.#cells[stem]?.has(index)) return false;
        return true;
      }),
    );
  }

  /** Add the stems up, and go on by as much; returns how many samples there were before the song's end. */
  #mix(mix: Channels, count: number): number {
    const { cell, lengths } = this.#shape;
    let done = 0;
    while (done < count && this.#sample < this.#timeline.samples) {
      const index = Math.floor(this.#sample / cell);
      const stop = Math.min(stretchEnd(this.#timeline, this.#sample), (index + 1) * cell, this.#sample + count - done);
      const length = stop - this.#sample;
      lengths.forEach((samples, stem) => {
        const fade = this.#gains[stem] as Fade;
        const channels = this.#cells[stem]?.get(index);
        const heard = Math.min(length, samples - this.#sample);
        if (channels && heard > 0) {
          const peak = add(mix, done, channels, this.#sample - index * cell, heard, fade);
          if (peak > (this.#levels[stem] as number)) this.#levels[stem] = peak;
        }
        pass(fade, length);
      });
      done += length;
      this.#sample = follow(this.#timeline, stop);
    }
    return done;
  }

  /** A report now and then, at each change, and in the block after that, when what was fading has come to rest. */
  #report(frame: number, sample: number, doing: Doing): Report | null {
    const changed = doing !== this.#reported.doing || this.#turn !== this.#reported.turn;
    if (!changed && this.#wait-- > 0) return null;
    this.#wait = changed ? 0 : BLOCKS_A_REPORT - 1;
    this.#reported = { doing, turn: this.#turn };
    const levels = this.#levels;
    this.#levels = levels.map(() => 0);
    return { frame, sample, doing, loop: this.#timeline.loop, turn: this.#turn, levels };
  }
}

/** Let the first `count` samples of a mix rise from silence, or fall into it. */
function slope(mix: Channels, count: number, rising: boolean): void {
  for (const channel of mix)
    for (let i = 0; i < count; i++)
      channel[i] = (channel[i] as number) * ((rising ? i + 0.5 : count - i - 0.5) / count);
}
