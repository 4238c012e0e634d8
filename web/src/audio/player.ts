// What plays stems, as views and pictures see it.

import type { Range } from "./timeline.ts";

export { openPlayer } from "./live-player.ts";
export { SoundError } from "./requests.ts";
export type { Range };

/** Where a stem's sound lies; see docs/player.md. */
export interface StemSource {
  readonly name: string;
  /** A link to the FLAC with short frames, and to its index; asked anew when one has expired. */
  links(): Promise<{ audio: string; index: string }>;
}

/** "waiting": sound is late, and all stems wait for it. */
export type PlayerState = "paused" | "playing" | "waiting" | "ended" | "failed";

/** Plays all stems of a song on one timeline in whole samples. */
export interface Player {
  readonly sampleRate: number;
  /** Of the song. */
  readonly samples: number;
  readonly state: PlayerState;
  /** Why it failed, in words for a person; null else. */
  readonly error: string | null;
  /** Bytes of decoded sound that it holds. */
  readonly heldBytes: number;
  /** The sample that is heard now, the device's delay taken off. */
  position(): number;
  /** The level of each stem as heard now, gains applied, 1 at full scale; in the order of the sources. */
  levels(): readonly number[];
  /** Call it from a click or a key: a browser lets no page sound by itself. After a failure it tries again. */
  play(): Promise<void>;
  pause(): void;
  seek(sample: number): void;
  /**
   * Play from `start` up to but without `end`, round and round; null plays on. A position outside goes to `start`;
   * who seeks beyond `end` after that plays on from there.
   */
  loop(range: Range | null): void;
  /** How loud a stem is: 1 as it is, 0 muted. */
  gain(stem: string, value: number): void;
  /** Call `changed` after each change of state; returns what ends it. */
  onChange(changed: () => void): () => void;
  close(): void;
}
