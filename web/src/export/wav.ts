// WAV of 16 bits, two channels, in pieces.

import type { Channels } from "../audio/mixing.ts";

const CHANNELS = 2;
const BYTES = 2;

/** The first 44 bytes of a file of so many samples in each channel. */
export function wavHead(sampleRate: number, samples: number): Uint8Array<ArrayBuffer> {
  const head = new DataView(new ArrayBuffer(44));
  const size = samples * CHANNELS * BYTES;
  const text = (at: number, letters: string) => {
    for (let i = 0; i < 4; i++) head.setUint8(at + i, letters.charCodeAt(i));
  };
  text(0, "RIFF");
  head.setUint32(4, 36 + size, true);
  text(8, "WAVE");
  text(12, "fmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, CHANNELS, true);
  head.setUint32(24, sampleRate, true);
  head.setUint32(28, sampleRate * CHANNELS * BYTES, true);
  head.setUint16(32, CHANNELS * BYTES, true);
  head.setUint16(34, 8 * BYTES, true);
  text(36, "data");
  head.setUint32(40, size, true);
  return new Uint8Array(head.buffer);
}

/** Samples rounded to 16 bits, and how many of them were beyond, and are cut off. */
export function pcm([left, right]: Channels): { bytes: Uint8Array<ArrayBuffer>; clipped: number } {
  const view = new DataView(new ArrayBuffer(left.length * CHANNELS * BYTES));
  let clipped = 0;
  const write = (at: number, sample: number) => {
    const value = Math.round(sample * 32_768);
    const kept = Math.min(32_767, Math.max(-32_768, value));
    if (kept !== value) clipped++;
    view.setInt16(at, kept, true);
  };
  for (let i = 0; i < left.length; i++) {
    write(4 * i, left[i] as number);
    write(4 * i + 2, right[i] as number);
  }
  return { bytes: new Uint8Array(view.buffer), clipped };
}
