// A song that is open, with its player and its mix: what the mixer, the stage and taking away have in common, so that
// going from one to the other stops nothing and forgets nothing.

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Player, PlayerState } from "../../audio/player.ts";
import { Scope } from "../../scope.ts";
import { type Channel, factorOf, type Mix, plainMix, soloist } from "./mix.ts";
import type { Opened } from "./open.ts";
import { SilentPlayer } from "./silent.ts";

/** From a time up to another, in seconds. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

export class Console {
  readonly opened: Opened;
  readonly mix: Signal<Mix>;
  readonly loop = signal<Stretch | null>(null);
  /** Whether the loop that is set is on. */
  readonly looping = signal(false);
  readonly state = signal<PlayerState>("paused");
  readonly error = signal<string | null>(null);
  readonly soloist: ReadonlySignal<string | null>;
  readonly #scope = new Scope();
  #player: Player;
  #opening: Promise<void> | null = null;
  #end: () => void = () => undefined;

  constructor(opened: Opened) {
    this.opened = opened;
    this.mix = signal(plainMix(opened.song.stems));
    this.soloist = computed(() => soloist(this.mix.value));
    this.#player = new SilentPlayer(opened.song.duration);
    this.#follow(this.#player);
    this.#scope.add(() => {
      this.#end();
      this.#player.close();
    });
  }

  get stems(): readonly string[] {
    return this.opened.song.stems;
  }

  get duration(): number {
    return this.opened.song.duration;
  }

  get sampleRate(): number {
    return this.#player.sampleRate;
  }

  /** Whether there is anything to hear. */
  get hasSound(): boolean {
    return this.opened.sources.length > 0;
  }

  /** What is heard now, in seconds. */
  now(): number {
    return this.#player.position() / this.#player.sampleRate;
  }

  levels(): readonly number[] {
    return this.#player.levels();
  }

  /** Have the sound ready, in place of time that passes without; it keeps its place. */
  ready(): Promise<void> {
    if (!this.hasSound) return Promise.resolve();
    this.#opening ??= this.#openSound().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Play, or pause; call it from a click or a key. */
  async toggle(): Promise<void> {
    if (this.state.peek() === "playing" || this.state.peek() === "waiting") this.#player.pause();
    else await this.play();
  }

  async play(): Promise<void> {
    try {
      await this.ready();
      await this.#player.play();
    } catch (error) {
      this.error.value = error instanceof Error ? error.message : String(error);
      this.state.value = "failed";
    }
  }

  /** Let time pass without sound: before anybody has clicked. */
  async playSilently(): Promise<void> {
    if (this.#player instanceof SilentPlayer) await this.#player.play();
  }

  /** Whether what passes is heard. */
  get isSilent(): boolean {
    return this.#player instanceof SilentPlayer;
  }

  pause(): void {
    this.#player.pause();
  }

  seek(seconds: number): void {
    this.#player.seek(Math.round(Math.min(this.duration, Math.max(0, seconds)) * this.sampleRate));
  }

  /** Set the loop, and turn it on; null forgets it. */
  setLoop(stretch: Stretch | null): void {
    this.loop.value = stretch;
    this.looping.value = stretch !== null;
    this.#tellLoop();
  }

  toggleLoop(): void {
    if (!this.loop.peek()) return;
    this.looping.value = !this.looping.peek();
    this.#tellLoop();
  }

  /** Change how a stem is heard. */
  change(stem: string, change: Partial<Channel>): void {
    const before = this.mix.peek()[stem];
    if (!before) return;
    this.mix.value = { ...this.mix.peek(), [stem]: { ...before, ...change } };
    this.#tellGains();
  }

  mute(stem: string): void {
    this.change(stem, { muted: !this.mix.peek()[stem]?.muted });
  }

  solo(stem: string): void {
    this.change(stem, { solo: !this.mix.peek()[stem]?.solo });
  }

  close(): void {
    this.#scope.close();
  }

  async #openSound(): Promise<void> {
    // Whoever only looks needs none.
    const { openPlayer } = await import("../../audio/player.ts").catch(() => {
      throw new Error("The player did not come. Play again, or load the page anew.");
    });
    const player = await openPlayer(this.opened.sources, this.#scope.signal);
    const before = this.#player;
    const was = before.state;
    player.seek(Math.round((before.position() / before.sampleRate) * player.sampleRate));
    this.#end();
    before.close();
    this.#player = player;
    this.#follow(player);
    this.#tellGains();
    this.#tellLoop();
    if (was === "playing") await player.play();
  }

  #follow(player: Player): void {
    const show = () => {
      this.state.value = player.state;
      this.error.value = player.error;
    };
    this.#end = player.onChange(show);
    show();
  }

  #tellGains(): void {
    for (const stem of this.stems) this.#player.gain(stem, factorOf(this.mix.peek(), stem));
  }

  #tellLoop(): void {
    const loop = this.looping.peek() ? this.loop.peek() : null;
    const rate = this.sampleRate;
    this.#player.loop(loop && { start: Math.round(loop.start * rate), end: Math.round(loop.end * rate) });
  }
}
