// curves.bin: a few bytes for each frame of each stem, read where a picture needs them. docs/visuals.md has its layout.

import type { Analysis } from "./song.ts";

type Manifest = NonNullable<Analysis["curves"]>;
type Scale = Manifest["fields"][string];

const MOST_LOOKED_AT = 6000;

/** One curve of one track. Its values are shares of its scale, from 0 to 1. */
export class Field {
  readonly frames: number;
  readonly fps: number;
  readonly scale: Scale;
  readonly #bytes: DataView;
  readonly #start: number;
  readonly #stride: number;

  constructor(bytes: DataView, manifest: Manifest, scale: Scale, start: number, stride: number) {
    this.#bytes = bytes;
    this.frames = manifest.frames;
    this.fps = manifest.fps;
    this.scale = scale;
    this.#start = start;
    this.#stride = stride;
  }

  /** The share in the frame of a time; null where there is no value. */
  at(seconds: number): number | null {
    const code = this.#code(Math.floor(seconds * this.fps));
    return code === 0 ? null : (code - 1) / this.#most;
  }

  /** The same on a line from the middle of a frame to that of the next; no value is 0. */
  between(seconds: number): number {
    const place = seconds * this.fps - 0.5;
    const frame = Math.floor(place);
    const before = Math.max(0, this.#code(frame) - 1);
    const behind = Math.max(0, this.#code(frame + 1) - 1);
    return (before + (behind - before) * (place - frame)) / this.#most;
  }

  /** Whether there is anything but zeros. */
  get sounds(): boolean {
    for (let frame = 0; frame < this.frames; frame++) if (this.#code(frame) > 1) return true;
    return false;
  }

  /** What a share of the values, where there are any, does not exceed; 0 where there are none. Of a long song not
   * all of them are looked at. */
  quantile(share: number): number {
    const bins = new Uint32Array(1 << 8);
    const wide = this.scale.type === "uint16";
    let counted = 0;
    const step = Math.ceil(this.frames / MOST_LOOKED_AT);
    for (let frame = 0; frame < this.frames; frame += step) {
      const code = this.#code(frame);
      if (code === 0) continue;
      const bin = wide ? code >> 8 : code;
      bins[bin] = (bins[bin] as number) + 1;
      counted++;
    }
    if (counted === 0) return 0;
    let bin = 0;
    for (let seen = 0; bin < bins.length; bin++) {
      seen += bins[bin] as number;
      if (seen >= share * counted) break;
    }
    return Math.max(0, (wide ? bin << 8 : bin) - 1) / this.#most;
  }

  get #most(): number {
    return this.scale.type === "uint16" ? 65534 : 254;
  }

  /** Before the song, and after it, there is no value. */
  #code(frame: number): number {
    if (frame < 0 || frame >= this.frames) return 0;
    const byte = this.#start + frame * this.#stride;
    return this.scale.type === "uint16" ? this.#bytes.getUint16(byte, true) : this.#bytes.getUint8(byte);
  }
}

/** The curves of a song. */
export class Curves {
  readonly #bytes: DataView;
  readonly #manifest: Manifest;

  constructor(bytes: ArrayBuffer, manifest: Manifest) {
    if (bytes.byteLength !== manifest.bytes)
      throw new Error(`curves.bin has ${bytes.byteLength} bytes, not ${manifest.bytes}.`);
    this.#bytes = new DataView(bytes);
    this.#manifest = manifest;
  }

  /** A curve of a stem, or of all of them where `stem` is null; null if there is no such curve. */
  field(stem: string | null, name: string): Field | null {
    const { fields, mix, stems } = this.#manifest;
    const place = stem === null ? mix : Object.hasOwn(stems, stem) ? stems[stem] : undefined;
    const start = place?.at[name];
    const scale = fields[name];
    if (!place || start === undefined || !scale) return null;
    return new Field(this.#bytes, this.#manifest, scale, place.offset + start, place.stride);
  }

  /** The names of a track's curves. */
  names(stem: string | null): string[] {
    const { mix, stems } = this.#manifest;
    const place = stem === null ? mix : Object.hasOwn(stems, stem) ? stems[stem] : undefined;
    return Object.keys(place?.at ?? {});
  }
}
