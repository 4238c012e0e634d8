// peaks.dat: a stem's outline, as BBC's audiowaveform writes it; docs/player.md has its layout.

/** The outline of both channels together: for each pixel the least and the greatest sample, -1 to 1. */
export interface Peaks {
  /** Pixels a second. */
  readonly rate: number;
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** @throws {Error} It is not such a file. */
export function parsePeaks(bytes: ArrayBuffer): Peaks {
  const view = new DataView(bytes);
  if (bytes.byteLength < 24 || view.getInt32(0, true) !== 2 || view.getUint32(4, true) !== 1)
    throw new Error("These peaks are not of version 2, with 8 bits.");
  const [sampleRate, perPixel, length, channels] = [8, 12, 16, 20].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  if (bytes.byteLength < 24 + length * channels * 2) throw new Error("The peaks stop in the middle.");
  const low = new Float32Array(length);
  const high = new Float32Array(length);
  for (let pixel = 0; pixel < length; pixel++) {
    let [least, most] = [127, -128];
    for (let channel = 0; channel < channels; channel++) {
      const at = 24 + (pixel * channels + channel) * 2;
      least = Math.min(least, view.getInt8(at));
      most = Math.max(most, view.getInt8(at + 1));
    }
    low[pixel] = least / 128;
    high[pixel] = most / 128;
  }
  return { rate: sampleRate / perPixel, low, high };
}

/** How far the outline reaches, 0 to 1, from a time up to another, in seconds. */
export function reach(peaks: Peaks, from: number, to: number): number {
  const first = Math.max(0, Math.floor(from * peaks.rate));
  const end = Math.min(peaks.high.length, Math.max(first + 1, Math.ceil(to * peaks.rate)));
  let most = 0;
  for (let pixel = first; pixel < end; pixel++) most = Math.max(most, peaks.high[pixel] ?? 0, -(peaks.low[pixel] ?? 0));
  return most;
}

/** All stems as one: their reaches, as if each were heard by itself. */
export function together(stems: Iterable<Peaks>): Peaks | null {
  const all = [...stems];
  const first = all[0];
  if (!first) return null;
  const length = Math.max(...all.map(({ high }) => high.length));
  const low = new Float32Array(length);
  const high = new Float32Array(length);
  for (const peaks of all)
    for (let pixel = 0; pixel < peaks.high.length; pixel++) {
      const [least, most] = [peaks.low[pixel] ?? 0, peaks.high[pixel] ?? 0];
      low[pixel] = -Math.min(1, Math.hypot(low[pixel] ?? 0, least));
      high[pixel] = Math.min(1, Math.hypot(high[pixel] ?? 0, most));
    }
  return { rate: first.rate, low, high };
}
