// The mix as heard, as a WAV.

import type { StemSource } from "../audio/player.ts";
import { renderMix, songOf } from "../audio/render.ts";
import { openStems } from "../audio/requests.ts";
import { fitted, type Range } from "../audio/timeline.ts";
import { type Destination, fill } from "./destination.ts";
import { pcm, wavHead } from "./wav.ts";

/** What is mixed. */
export interface Mix {
  readonly sources: readonly StemSource[];
  /** How loud each stem is, by its name. */
  readonly gains: Readonly<Record<string, number>>;
  /** In samples; null is the whole song. */
  readonly range: Range | null;
}

/** What the caller is told, and tells. */
export interface Work {
  /** From 0 to 1. */
  readonly progress: (done: number) => void;
  /** Aborted, it ends with an AbortError. */
  readonly signal: AbortSignal;
}

/**
 * Write the mix as WAV of 16 bits.
 *
 * @returns How many samples were too loud for 16 bits, and are cut off.
 * @throws SoundError with a message for a person.
 */
export function saveMix(mix: Mix, destination: Destination, { progress, signal }: Work): Promise<{ clipped: number }> {
  return fill(destination, async (writer) => {
    const stems = await openStems(mix.sources, signal);
    const { sampleRate, samples } = songOf(stems);
    const { start, end } = fitted(samples, mix.range) ?? { start: 0, end: samples };
    await writer.write(wavHead(sampleRate, end - start));
    let written = 0;
    let clipped = 0;
    for await (const piece of renderMix(stems, mix.gains, { start, end }, signal)) {
      const rounded = pcm(piece);
      await writer.write(rounded.bytes);
      clipped += rounded.clipped;
      written += piece[0].length;
      progress(written / (end - start));
    }
    return { clipped };
  });
}
