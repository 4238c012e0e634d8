// Time that passes without sound: for a song that came as MIDI, and for a stage that plays before anybody has clicked.

import type { Player, PlayerState, Range } from "../../audio/player.ts";

export class SilentPlayer implements Player {
  readonly sampleRate: number;
  readonly samples: number;
  readonly error = null;
  readonly heldBytes = 0;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #playing = false;
  /** The sample that was passed at a time, in seconds. */
  #from = { sample: 0, at: 0 };
  #loop: Range | null = null;

  /** @param now A clock, in seconds. */
  constructor(seconds: number, sampleRate = 44100, now = () => performance.now() / 1000) {
    this.sampleRate = sampleRate;
    this.samples = Math.round(seconds * sampleRate);
    this.#now = now;
  }

  get state(): PlayerState {
    if (!this.#playing) return "paused";
    return this.position() >= this.samples ? "ended" : "playing";
  }

  position(): number {
    if (!this.#playing) return this.#from.sample;
    const passed = this.#from.sample + Math.floor((this.#now() - this.#from.at) * this.sampleRate);
    const loop = this.#loop;
    if (loop && this.#from.sample < loop.end && passed >= loop.end)
      return loop.start + ((passed - loop.end) % (loop.end - loop.start));
    return Math.min(this.samples, passed);
  }

  levels(): readonly number[] {
    return [];
  }

  async play(): Promise<void> {
    const here = this.position();
    this.#from = { sample: here >= this.samples ? (this.#loop?.start ?? 0) : here, at: this.#now() };
    this.#playing = true;
    this.#tell();
  }

  pause(): void {
    this.#from = { sample: this.position(), at: this.#now() };
    this.#playing = false;
    this.#tell();
  }

  seek(sample: number): void {
    this.#from = { sample: Math.min(this.samples, Math.max(0, Math.round(sample))), at: this.#now() };
    this.#tell();
  }

  loop(range: Range | null): void {
    const here = this.position();
    this.#loop = range;
    const outside = range && (here < range.start || here >= range.end);
    this.#from = { sample: outside ? range.start : here, at: this.#now() };
  }

  gain(): void {}

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  close(): void {
    this.#playing = false;
    this.#listeners.clear();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
