// curves.bin: a few bytes for each frame of each stem, read where a picture needs them. docs/visuals.md has its layout.

import type { Analysis } from "./song.ts";

type Manifest = NonNullable<Analysis["curves"]>;

/** The curves of a song, of any track at any time. */
export class Curves {
  readonly #bytes: DataView;
  readonly #manifest: Manifest;

  constructor(bytes: ArrayBuffer, manifest: Manifest) {
    if (bytes.byteLength !== manifest.bytes)
      throw new Error(`curves.bin has ${bytes.byteLength} bytes, not ${manifest.bytes}.`);
    this.#bytes = new DataView(bytes);
    this.#manifest = manifest;
  }

  /** A field of a stem, or of the "mix", from 0 to 1 of its range; null where there is no value. */
  at(track: string, field: string, seconds: number): number | null {
    const { fps, frames, fields, mix, stems } = this.#manifest;
    const place = track === "mix" ? mix : stems[track];
    const start = place?.at[field];
    const scale = fields[field];
    if (!place || start === undefined || !scale || frames === 0) return null;
    const frame = Math.min(frames - 1, Math.max(0, Math.floor(seconds * fps)));
    const byte = place.offset + frame * place.stride + start;
    const wide = scale.type === "uint16";
    const code = wide ? this.#bytes.getUint16(byte, true) : this.#bytes.getUint8(byte);
    return code === 0 ? null : (code - 1) / (wide ? 65534 : 254);
  }
}
