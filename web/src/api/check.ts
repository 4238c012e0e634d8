// What the service would refuse is refused before a byte is sent, with its codes and in its words. The rules are its
// own (rules/creation.py, media/, analysis/midi/), the limits those of this deployment.

import type { Limits } from "./config.ts";
import { Refusal } from "./errors.ts";
import { faultOf, notMidi } from "./midi.ts";
import { declaredSeconds, type FileType, HEAD_BYTES, sniff } from "./sniff.ts";

/** As of one job. */
export const MOST_STEMS = 16;
const MOST_MIDI_BYTES = 4 * 1024 * 1024;
const MOST_NAME = 64;
/** Of silence that encoders add, the service takes no notice. */
const PADDING_SECONDS = 0.1;
/** How far the browser may be mistaken: by frames that it did not count, or by a picture that goes on for longer. */
const GUESS = 1.1;
const UNREADABLE = "This is no audio file that can be read. Send WAV, FLAC, MP3, AAC, Ogg, AIFF, MP4 or WebM.";
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are refused
const NOT_IN_NAMES = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069<>:"/\\|?*]/;

/** A file that was looked at. */
export interface Looked {
  readonly file: File;
  readonly type: FileType | null;
  /** Its length; null where nothing here can tell. */
  readonly seconds: number | null;
  /** Whether the length is what the file says, and not what the browser reckons. */
  readonly isDeclared: boolean;
  /** What is wrong with the tracks of a MIDI file; null of any other, too. */
  readonly fault: Refusal | null;
}

/** Look at a file, without reading more of it than it takes. */
export async function look(file: File, measure: (file: File) => Promise<number | null> = reckoned): Promise<Looked> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const type = sniff(head);
  const declared = declaredSeconds(head, file.size);
  if (declared !== null) return { file, type, seconds: declared, isDeclared: true, fault: null };
  if (type === null || type === "midi") {
    const isRead = type === "midi" && file.size <= MOST_MIDI_BYTES;
    const fault = isRead ? faultOf(new Uint8Array(await file.arrayBuffer())) : null;
    return { file, type, seconds: null, isDeclared: false, fault };
  }
  return { file, type, seconds: await measure(file), isDeclared: false, fault: null };
}

/** Why a song is refused, or null. */
export function refuseSong({ file, type, seconds, isDeclared }: Looked, limits: Limits): Refusal | null {
  if (file.size === 0) return empty("The file");
  if (file.size > limits.bytes) return tooLarge(file.size, limits.bytes);
  if (type === null || type === "midi") return new Refusal("unsupported_media", UNREADABLE);
  if (seconds !== null && seconds > (isDeclared ? 1 : GUESS) * limits.seconds + PADDING_SECONDS)
    return new Refusal(
      "too_long",
      `The song is longer than ${limits.seconds} s, the most allowed. Send a shorter one.`,
    );
  return null;
}

/** Why stems are refused: those that are, by their place, and what is wrong with all of them together. */
export function refuseStems(
  stems: readonly { readonly name: string; readonly looked: Looked }[],
  limits: Limits,
): { readonly each: ReadonlyMap<number, Refusal>; readonly all: Refusal | null } {
  const each = new Map<number, Refusal>();
  const seen = new Set<string>();
  for (const [place, { name, looked }] of stems.entries()) {
    const known = name.toLowerCase();
    const refusal =
      looked.file.size === 0
        ? empty(name)
        : (refuseSong(looked, limits) ?? refuseName(name) ?? (seen.has(known) ? alike(known) : null));
    seen.add(known);
    if (refusal) each.set(place, refusal);
  }
  const bytes = stems.reduce((sum, { looked }) => sum + looked.file.size, 0);
  if (stems.length > MOST_STEMS)
    return { each, all: new Refusal("invalid_request", `stems: at most ${MOST_STEMS} of one job.`) };
  return { each, all: bytes > limits.bytes ? tooLarge(bytes, limits.bytes) : null };
}

/** Why a MIDI file is refused, or null. */
export function refuseMidi({ file, type, fault }: Looked): Refusal | null {
  if (file.size === 0) return empty("The file");
  if (file.size > MOST_MIDI_BYTES)
    return new Refusal(
      "midi_too_large",
      `The MIDI file is larger than ${MOST_MIDI_BYTES >> 20} MB. Send a part of it.`,
    );
  return type === "midi" ? fault : notMidi();
}

/** Why a stem may not be called so, or null. */
export function refuseName(name: string): Refusal | null {
  const isFit = name !== "" && [...name].length <= MOST_NAME && !NOT_IN_NAMES.test(name) && /[^. ]/.test(name);
  if (isFit && name.toLowerCase() !== "mix") return null;
  return new Refusal("invalid_request", "stems.name: must be fit for a file's name, and not mix");
}

const empty = (what: string) => new Refusal("empty_file", `${what} is empty. Upload one in which there is something.`);

const tooLarge = (size: number, limit: number) =>
  new Refusal(
    "too_large",
    `The file has ${thousands(size)} bytes; the limit is ${thousands(limit)}. ` +
      "Upload a shorter song, or a compressed format such as FLAC or MP3.",
  );

const alike = (name: string) => new Refusal("invalid_request", `stems: two stems have one name: ${name}`);

const thousands = (count: number) => count.toLocaleString("en-US");

/** What the browser's own decoder takes for a file's length; null if it does not read it. */
function reckoned(file: File): Promise<number | null> {
  const audio = new Audio();
  const address = URL.createObjectURL(file);
  return new Promise<number | null>((resolve) => {
    audio.preload = "metadata";
    audio.onloadedmetadata = () => resolve(Number.isFinite(audio.duration) ? audio.duration : null);
    audio.onerror = () => resolve(null);
    audio.src = address;
  }).finally(() => URL.revokeObjectURL(address));
}
