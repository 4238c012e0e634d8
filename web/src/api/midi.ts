// The tracks of a MIDI file, as the service finds them, and why it would refuse a file that has none or is cut: in its
// own words (analysis/midi/sieve.py).

import { Refusal } from "./errors.ts";

export interface Tracks {
  /** 0 or 1. */
  readonly format: number;
  /** Ticks a quarter note, or its upper byte negative: frames a second, and ticks in each. */
  readonly division: number;
  /** What is in each, however many the header says there are. */
  readonly tracks: readonly Uint8Array[];
}

export const notMidi = () =>
  new Refusal("not_midi", "The file is not MIDI: it does not begin as such files do. Send a .mid file.");

/** Why the service would not take a file, or null as far as its tracks tell. */
export function faultOf(file: Uint8Array): Refusal | null {
  try {
    tracksOf(file);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/**
 * Find the tracks of a file.
 *
 * @throws {Refusal} The service would not take it.
 */
export function tracksOf(file: Uint8Array): Tracks {
  const bytes = unwrapped(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (name(bytes, 0) !== "MThd") throw notMidi();
  const head = bytes.length < 14 ? 0 : view.getUint32(4);
  if (head < 6 || head > bytes.length - 8)
    throw new Refusal("corrupt_midi", "The MIDI file ends within its header. Export it again.");
  const [format, division] = [view.getUint16(8), view.getUint16(12)];
  if (format > 1)
    throw new Refusal("unsupported_midi", `MIDI of format ${format} is not one song. Export it as format 0 or 1.`);
  if (division === 0)
    throw new Refusal("unsupported_midi", "The MIDI file divides a quarter note into no ticks. Export it again.");
  const tracks: Uint8Array[] = [];
  for (let at = 8 + head; at + 8 <= bytes.length; ) {
    const kind = name(bytes, at);
    if (!/^[0-9A-Za-z]{4}$/.test(kind)) break; // what follows the last chunk
    const size = view.getUint32(at + 4);
    at += 8;
    if (kind === "MTrk") {
      if (size > bytes.length - at)
        throw new Refusal(
          "corrupt_midi",
          `The MIDI file is cut: a track says it has ${size.toLocaleString("en-US")} bytes, ` +
            `and ${(bytes.length - at).toLocaleString("en-US")} are there. Send the whole file.`,
        );
      tracks.push(bytes.subarray(at, at + size));
    }
    at += size;
  }
  if (tracks.length === 0) throw new Refusal("corrupt_midi", "The MIDI file has no tracks. Export it again.");
  return { format, division, tracks };
}

/** What is in a RIFF file of MIDI, or the file itself. */
function unwrapped(file: Uint8Array): Uint8Array {
  if (name(file, 0) !== "RIFF" || name(file, 8) !== "RMID") return file;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 12; at + 8 <= file.length; ) {
    const size = view.getUint32(at + 4, true);
    if (name(file, at) === "data") return file.subarray(at + 8, at + 8 + size);
    at += 8 + size + (size % 2);
  }
  throw new Refusal("corrupt_midi", "The RIFF file has no MIDI in it. Export it again, as .mid.");
}

const name = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
