// The index of a stem's FLAC says where its frames begin, so that any run of them can be fetched and decoded by
// itself. docs/player.md has the layout.

/** What is known of a stem's sound before any of it is there. */
export interface StemIndex {
  /** In Hz. */
  readonly sampleRate: number;
  /** Samples in a frame; the last may have fewer. */
  readonly frameSamples: number;
  /** Of the stem, in each channel. */
  readonly samples: number;
  readonly frames: number;
  /** The byte at which each frame begins, then the FLAC's size. */
  readonly offsets: Uint32Array;
  /** The FLAC's first bytes, up to its first frame. */
  readonly head: Uint8Array;
}

const VERSION = 1;
const NUMBERS = 16;
/** "fLaC" and the stream's description: less is no head. */
const LEAST_HEAD = 42;
/** In the head: samples in all, of which the upper four bits are in the byte before; then the MD5. */
const TOTAL = { at: 22, md5: 26, end: 42 };

/** Read an index; throws if it is none, or of another version. */
export function parseIndex(bytes: ArrayBuffer): StemIndex {
  const view = new DataView(bytes);
  if (bytes.byteLength < NUMBERS) throw new Error(`An index of ${bytes.byteLength} bytes.`);
  const [version, sampleRate, frameSamples, samples] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  if (version !== VERSION) throw new Error(`An index of version ${version}.`);
  if (!sampleRate || !frameSamples) throw new Error("An index without a rate.");
  const frames = Math.ceil(samples / frameSamples);
  const end = NUMBERS + 4 * (frames + 1);
  if (bytes.byteLength < end + LEAST_HEAD) throw new Error("An index that ends before its end.");
  const offsets = Uint32Array.from({ length: frames + 1 }, (_, frame) => view.getUint32(NUMBERS + 4 * frame, true));
  return { sampleRate, frameSamples, samples, frames, offsets, head: new Uint8Array(bytes, end) };
}

/** How many samples the frames from `first` up to but without `end` have. */
export function samplesOf(index: StemIndex, first: number, end: number): number {
  return Math.min(end * index.frameSamples, index.samples) - first * index.frameSamples;
}

/** The bytes of frames from `first` up to but without `end`: first byte, and the one after the last. */
export function bytesOf(index: StemIndex, first: number, end: number): { start: number; end: number } {
  return { start: index.offsets[first] ?? 0, end: index.offsets[end] ?? 0 };
}

/** These frames as a FLAC file of their own: the head with their own total and no MD5, and they behind it. */
export function fileOf(index: StemIndex, first: number, end: number, frames: Uint8Array): ArrayBuffer {
  const file = new Uint8Array(index.head.length + frames.length);
  file.set(index.head);
  file.set(frames, index.head.length);
  new DataView(file.buffer).setUint32(TOTAL.at, samplesOf(index, first, end));
  file.fill(0, TOTAL.md5, TOTAL.end);
  return file.buffer;
}
