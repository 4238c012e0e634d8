// How each stem is heard: muted, alone, louder or softer; and which are taken along.

export interface Channel {
  /** In decibels. */
  readonly gain: number;
  readonly muted: boolean;
  readonly solo: boolean;
  /** Whether it is taken along. */
  readonly taken: boolean;
}

/** By stem. */
export type Mix = Readonly<Record<string, Channel>>;

export const GAIN = { least: -60, most: 6, step: 0.5 } as const;

export function plainMix(stems: readonly string[]): Mix {
  return Object.fromEntries(stems.map((stem) => [stem, { gain: 0, muted: false, solo: false, taken: true }]));
}

/** Whether a stem is heard: where some are heard alone, no other is. */
export function isHeard(mix: Mix, stem: string): boolean {
  const channel = mix[stem];
  if (!channel) return false;
  const anyAlone = Object.values(mix).some(({ solo }) => solo);
  return anyAlone ? channel.solo : !channel.muted;
}

/** What a stem's samples are multiplied by; at the lowest gain it is silent. */
export function factorOf(mix: Mix, stem: string): number {
  const gain = mix[stem]?.gain ?? GAIN.least;
  if (!isHeard(mix, stem) || gain <= GAIN.least) return 0;
  return 10 ** (gain / 20);
}

/** The one stem that is heard alone, which lends the clock its shape; null if it is none or several. */
export function soloist(mix: Mix): string | null {
  const alone = Object.keys(mix).filter((stem) => mix[stem]?.solo);
  return alone.length === 1 ? (alone[0] ?? null) : null;
}

/** A gain on the steps of its slider, within its bounds. */
export function steppedGain(gain: number): number {
  const stepped = Math.round(gain / GAIN.step) * GAIN.step;
  return Math.min(GAIN.most, Math.max(GAIN.least, stepped));
}
