// The mix as it would be heard, made as fast as it can be and a few seconds at a time: for a file of it, and for the
// sound of a video.

import { decoder } from "./decoding.ts";
import { add, type Channels, constant } from "./mixing.ts";
import type { OpenStem } from "./requests.ts";
import { samplesOf } from "./stem-index.ts";
import type { Range } from "./timeline.ts";

/** Frames of the FLAC in a piece: four seconds. Two pieces are in memory at a time. */
const PIECE_FRAMES = 40;

/** What all stems of a song have in common. */
export function songOf(stems: readonly OpenStem[]): { sampleRate: number; samples: number } {
  const { sampleRate } = (stems[0] as OpenStem).index;
  return { sampleRate, samples: Math.max(...stems.map(({ index }) => index.samples)) };
}

/**
 * The mix of stems, piece after piece without a gap. Who stops early lets go of the network.
 *
 * @param byName How loud each stem is, by its name; 1 where there is none.
 * @param range Of the song, in samples.
 * @throws SoundError with a message for a person.
 */
export async function* renderMix(
  stems: readonly OpenStem[],
  byName: Readonly<Record<string, number>>,
  range: Range,
  signal: AbortSignal,
): AsyncGenerator<Channels, void, void> {
  const { sampleRate, frameSamples } = (stems[0] as OpenStem).index;
  const gains = stems.map(({ files }) => byName[files.name] ?? 1);
  const decode = decoder(sampleRate);
  const length = PIECE_FRAMES * frameSamples;
  const last = Math.ceil(range.end / length);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);

  const fetched = (piece: number) => {
    const first = piece * PIECE_FRAMES;
    const all = Promise.all(
      stems.map(async ({ files, index }, place) => {
        const end = Math.min(first + PIECE_FRAMES, index.frames);
        if (first >= end || gains[place] === 0) return null;
        return decode(await files.run(index, first, end, either), samplesOf(index, first, end));
      }),
    );
    // It is awaited a piece later; until then its failure is nobody's.
    all.catch(() => {});
    return all;
  };

  try {
    let piece = Math.floor(range.start / length);
    let next = fetched(piece);
    for (; piece < last; piece++) {
      const channels = await next;
      if (piece + 1 < last) next = fetched(piece + 1);
      const from = Math.max(range.start, piece * length);
      const to = Math.min(range.end, (piece + 1) * length);
      const mix: Channels = [new Float32Array(to - from), new Float32Array(to - from)];
      channels.forEach((stem, place) => {
        const at = from - piece * length;
        if (stem) add(mix, 0, stem, at, Math.min(to - from, stem[0].length - at), constant(gains[place] ?? 1));
      });
      signal.throwIfAborted();
      yield mix;
    }
  } finally {
    stop.abort();
  }
}
