// What plays stems, as views and pictures see it.

/** Where a stem's sound lies; see docs/player.md. */
export interface StemSource {
  readonly name: string;
  /** A link to the FLAC with short frames, and to its index; asked anew when one has expired. */
  links(): Promise<{ audio: string; index: string }>;
}

/** "waiting": sound is late, and all stems wait for it. */
export type PlayerState = "loading" | "paused" | "playing" | "waiting" | "ended" | "failed";

/** Plays all stems of a song on one timeline in whole samples. */
export interface Player {
  readonly sampleRate: number;
  /** Of the song. */
  readonly samples: number;
  readonly state: PlayerState;
  /** Why it failed, in words for a person; null else. */
  readonly error: string | null;
  /** The sample that is heard now, the device's delay taken off. */
  position(): number;
  /** The level of each stem as heard now, 0 to 1, in the order of the sources. */
  levels(): readonly number[];
  play(): Promise<void>;
  pause(): void;
  seek(sample: number): void;
  /** Play from `start` up to but without `end`, round and round; null plays on. */
  loop(range: { start: number; end: number } | null): void;
  /** How loud a stem is: 1 as it is, 0 muted. */
  gain(stem: string, value: number): void;
  /** Call `changed` after each change of state; returns what ends it. */
  onChange(changed: () => void): () => void;
  close(): void;
}
