// What a file is, by its own bytes: its name may say anything. Only what is certain is said, since a song that is
// refused wrongly cannot be sent at all; what is uncertain is the service's to say.

export type FileType = "wav" | "aiff" | "flac" | "mp3" | "aac" | "ogg" | "mp4" | "webm" | "midi";

/** Of files that are taken for MIDI by their names, as the service takes them (jobs/names.py). */
export const MIDI_ENDINGS = [".kar", ".mid", ".midi", ".rmi", ".smf"] as const;

/** What `sniff` and `declaredSeconds` want to see of a file. */
export const HEAD_BYTES = 1 << 16;

/** The type of a file that begins like this, or null if it is none that the service reads. */
export function sniff(head: Uint8Array): FileType | null {
  const at = (offset: number, text: string) => text === ascii(head, offset, text.length);
  if ((at(0, "RIFF") || at(0, "RF64")) && at(8, "WAVE")) return "wav";
  if (at(0, "FORM") && (at(8, "AIFF") || at(8, "AIFC"))) return "aiff";
  if (at(0, "fLaC")) return "flac";
  if (at(0, "OggS")) return "ogg";
  if (at(4, "ftyp") || at(4, "moov") || at(4, "mdat") || at(4, "wide") || at(4, "free")) return "mp4";
  if (head[0] === 0x1a && head[1] === 0x45 && head[2] === 0xdf && head[3] === 0xa3) return "webm";
  if (at(0, "MThd") || (at(0, "RIFF") && at(8, "RMID"))) return "midi";
  if (at(0, "ID3")) return "mp3";
  // They have what looks like frames, sooner or later.
  if (["%PDF", "\x89PNG", "GIF8", "\xff\xd8\xff"].some((start) => at(0, start))) return null;
  // Frames may begin anywhere, behind whatever a program has put there. Text has none.
  for (let i = 0; i + 1 < head.length; i++) {
    if (head[i] !== 0xff) continue;
    const next = head[i + 1] ?? 0;
    if ((next & 0xf6) === 0xf0) return "aac";
    if ((next & 0xe0) === 0xe0 && (next & 0x18) !== 0x08 && (next & 0x06) !== 0) return "mp3";
  }
  return null;
}

/** The length that the head of a file declares, in seconds, or null where it does not. */
export function declaredSeconds(head: Uint8Array, bytes: number): number | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  try {
    switch (sniff(head)) {
      case "wav":
        return wavSeconds(view, bytes);
      case "aiff":
        return aiffSeconds(view);
      case "flac":
        return flacSeconds(view);
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof RangeError) return null; // it goes on behind the head
    throw error;
  }
}

function wavSeconds(view: DataView, bytes: number): number | null {
  if (tag(view, 0) !== "RIFF") return null; // RF64 keeps its lengths elsewhere
  let rate = 0; // bytes a second
  for (let at = 12; ; ) {
    const [name, size] = [tag(view, at), view.getUint32(at + 4, true)];
    if (name === "fmt ") rate = view.getUint32(at + 16, true);
    // A recorder that was stopped, or that writes to a pipe, leaves a length that is none.
    if (name === "data") return rate ? Math.min(size || bytes, bytes - at - 8) / rate : null;
    at += 8 + size + (size % 2);
  }
}

function aiffSeconds(view: DataView): number | null {
  for (let at = 12; ; ) {
    const [name, size] = [tag(view, at), view.getUint32(at + 4)];
    if (name === "COMM") {
      // The rate is an 80-bit float: an exponent, and a mantissa whose upper half is enough.
      const rate = view.getUint32(at + 18) * 2 ** ((view.getUint16(at + 16) & 0x7fff) - 16383 - 31);
      return rate ? view.getUint32(at + 10) / rate : null;
    }
    at += 8 + size + (size % 2);
  }
}

function flacSeconds(view: DataView): number | null {
  // STREAMINFO is the first block: 20 bits of rate, 3 of channels, 5 of depth, 36 of samples.
  const rate = view.getUint32(18) >>> 12;
  const samples = (view.getUint8(21) & 0x0f) * 2 ** 32 + view.getUint32(22);
  return rate && samples ? samples / rate : null;
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

function ascii(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length));
}
