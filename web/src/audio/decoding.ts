// FLAC to samples, by the browser's own decoder: exact, since the files have 24 bits (docs/player.md).

import type { Channels } from "./mixing.ts";
import { SoundError } from "./requests.ts";

/** Decodes a FLAC file, which is consumed, to as many samples as it must have. */
export type Decode = (file: ArrayBuffer, samples: number) => Promise<Channels>;

/** A decoder of files of one sample rate. */
export function decoder(sampleRate: number): Decode {
  // No sound ever runs through it: decoding wants a context of the right rate, else it resamples.
  const context = new OfflineAudioContext(2, 1, sampleRate);
  return async (file, samples) => {
    let buffer: AudioBuffer;
    try {
      buffer = await context.decodeAudioData(file);
    } catch {
      throw new SoundError("The sound cannot be decoded.");
    }
    if (buffer.length !== samples || buffer.numberOfChannels !== 2)
      throw new SoundError(`The sound decodes to ${buffer.length} samples, not ${samples}.`);
    return [buffer.getChannelData(0), buffer.getChannelData(1)];
  };
}
