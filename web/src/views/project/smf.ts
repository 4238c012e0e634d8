// Reads a standard MIDI file as far as its preview needs: the parts, whom they are for, and how many notes they have.
// What the service makes of it is the service's; the guess of a part's role is the same (analysis/midi/roles.py).

import { Refusal } from "../../api/errors.ts";
import { tracksOf } from "../../api/midi.ts";

/** A track, or a channel of one. */
export interface Part {
  /** Its track, from 1. */
  readonly track: number;
  /** Its channel, from 1; null for a whole track. */
  readonly channel: number | null;
  readonly name: string;
  /** The stem that it most likely is. */
  readonly role: string;
  readonly notes: number;
  /** Onsets from 0 to 1 of the file's length, with pitches, for drawing. */
  readonly marks: readonly { readonly at: number; readonly pitch: number }[];
}

export interface Score {
  readonly format: number;
  /** The first tempo, in quarter notes a minute. */
  readonly bpm: number;
  /** Whether the tempo changes. */
  readonly rubato: boolean;
  readonly parts: readonly Part[];
  /** By the file's own tempi. */
  readonly seconds: number;
}

interface Voice {
  track: number;
  channel: number;
  name: string;
  program: number;
  notes: { tick: number; pitch: number }[];
}

/**
 * Read a file.
 *
 * @param split Whether each channel of a track is a part by itself.
 * @throws {Refusal} It is none, or damaged.
 */
export function readScore(bytes: Uint8Array, split = true): Score {
  const { format, division, tracks } = tracksOf(bytes);
  const voices: Voice[] = [];
  const tempi: { tick: number; micros: number }[] = [];
  let ticks = 0;
  for (const [place, track] of tracks.entries())
    ticks = Math.max(ticks, readTrack(new Reader(track, place + 1), voices, tempi));
  const merged = split ? voices : whole(voices);
  const parts = merged
    .filter((voice) => voice.notes.length > 0)
    .map(
      (voice): Part => ({
        track: voice.track,
        channel: split ? voice.channel + 1 : null,
        name: voice.name,
        role: guess(voice),
        notes: voice.notes.length,
        marks: voice.notes.map(({ tick, pitch }) => ({ at: ticks ? tick / ticks : 0, pitch })),
      }),
    );
  tempi.sort((a, b) => a.tick - b.tick);
  const first = tempi[0]?.micros ?? 500_000;
  return {
    format,
    bpm: 60_000_000 / first,
    rubato: new Set(tempi.map(({ micros }) => micros)).size > 1,
    parts,
    seconds: secondsOf(ticks, division, tempi),
  };
}

/** Reads a track's events; returns its length in ticks. */
function readTrack(file: Reader, voices: Voice[], tempi: { tick: number; micros: number }[]) {
  const own = new Map<number, Voice>();
  const voice = (channel: number) => {
    const known = own.get(channel);
    if (known) return known;
    const made: Voice = { track: file.track, channel, name: "", program: 0, notes: [] };
    own.set(channel, made);
    return made;
  };
  let tick = 0;
  let name = "";
  let status = 0;
  while (file.left > 0) {
    tick += file.varying();
    const byte = file.peek();
    if (byte >= 0x80) status = file.u8();
    if (status === 0xff) {
      const kind = file.u8();
      const length = file.varying();
      if (kind === 0x03 && !name) name = file.text(length).trim();
      else if (kind === 0x51 && length === 3) tempi.push({ tick, micros: (file.u8() << 16) | file.u16() });
      else file.at += length;
      if (kind === 0x2f) break;
      status = 0;
    } else if (status === 0xf0 || status === 0xf7) {
      file.at += file.varying();
      status = 0;
    } else if (status >= 0x80) {
      const of = voice(status & 15);
      const first = file.u8();
      if (status >> 4 === 0xc) of.program = first;
      else if (status >> 4 !== 0xd) {
        const second = file.u8();
        if (status >> 4 === 9 && second > 0) of.notes.push({ tick, pitch: first });
      }
    } else throw file.damaged("has data where a message should begin");
  }
  for (const made of own.values()) voices.push({ ...made, name });
  return tick;
}

/** Channels of a track as one. */
function whole(voices: readonly Voice[]): Voice[] {
  const tracks = new Map<number, Voice>();
  for (const voice of voices) {
    const before = tracks.get(voice.track);
    if (before) before.notes.push(...voice.notes);
    else tracks.set(voice.track, { ...voice, notes: [...voice.notes] });
  }
  return [...tracks.values()];
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/drum|perc|kick|snare|hi-?hat|cymbal|\btoms?\b|\bkit\b/, "drums"],
  [/bass(?!oon)/, "bass"],
  [/vocal|vox|voice|\bsing|choir|lyric|melody/, "vocals"],
  [/piano|rhodes|\bkeys\b|\bepi?\b/, "piano"],
];

function guess({ channel, name, program }: Voice): string {
  if (channel === 9) return "drums";
  const named = NAMES.find(([pattern]) => pattern.test(name.toLowerCase()));
  if (named) return named[1];
  if (program < 8) return "piano";
  if (program >= 32 && program < 40) return "bass";
  return [52, 53, 54, 85, 91].includes(program) ? "vocals" : "other";
}

function secondsOf(ticks: number, division: number, tempi: readonly { tick: number; micros: number }[]): number {
  if (division & 0x8000) {
    const frames = 256 - (division >> 8);
    return ticks / (frames * (division & 255));
  }
  let seconds = 0;
  let before = { tick: 0, micros: 500_000 };
  for (const tempo of tempi) {
    const upTo = Math.min(tempo.tick, ticks);
    seconds += ((upTo - before.tick) / division) * (before.micros / 1e6);
    before = { tick: upTo, micros: tempo.micros };
  }
  return seconds + ((ticks - before.tick) / division) * (before.micros / 1e6);
}

/** Reads numbers of a track; past its end it is damaged. */
class Reader {
  at = 0;
  /** Its number, from 1. */
  readonly track: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, track: number) {
    this.#bytes = bytes;
    this.track = track;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  damaged(what: string): Refusal {
    return new Refusal("corrupt_midi", `The MIDI file is damaged: track ${this.track} ${what}. Export it again.`);
  }

  peek(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw this.damaged("ends within an event");
    return byte;
  }

  u8(): number {
    const byte = this.peek();
    this.at++;
    return byte;
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  /** A number of up to four bytes, seven bits in each. */
  varying(): number {
    let value = 0;
    for (let length = 0; length < 4; length++) {
      const byte = this.u8();
      value = (value << 7) | (byte & 127);
      if (byte < 128) return value;
    }
    throw this.damaged("has a number that does not end");
  }

  /** Text in the encoding that it is in, which files do not say. */
  text(length: number): string {
    if (length > this.left) throw this.damaged("has an event that says it is longer than its track");
    const bytes = this.#bytes.subarray(this.at, this.at + length);
    this.at += length;
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return String.fromCharCode(...bytes);
    }
  }
}
