// Presets: which signal drives what, in every scene, kept and shared as small files. A file may come from anybody, so
// it is read with suspicion, and what is wrong with it is said in words.

import { SCENES } from "./all.ts";
import type { Bindings } from "./show.ts";

export interface Preset {
  readonly name: string;
  /** The scene it is best seen with; null if that is all the same. */
  readonly scene: string | null;
  /** By scene, then by slot; what is left out has its default. */
  readonly scenes: Readonly<Record<string, Bindings>>;
}

const KIND = "stempipe-preset";
const VERSION = 1;
const MOST_BYTES = 65_536;
const LONGEST_NAME = 60;
const LONGEST_SIGNAL = 160;

/** Those that are always there. */
export const PRESETS: readonly Preset[] = [
  { name: "House", scene: null, scenes: {} },
  {
    name: "Blackout", // one stem at a time
    scene: "rig",
    scenes: {
      split: only("split", { second: "vocals.rms", bend: "vocals.pitch", riders: "vocals.notes" }),
      rig: only("rig", { spot: "vocals.pitch", size: "vocals.rms" }),
      roll: only("roll", { high: "vocals.notes", speed: "song.tempo" }),
      floor: only("floor", { kicks: "drums.kick", snares: "drums.snare", hats: "drums.hat", bar: "song.beats" }),
      balance: only("balance", { third: "bass.rms", swing: "song.beats" }),
      loom: only("loom", { thread: "vocals.pitch", bar: "song.bars" }),
    },
  },
  {
    name: "Daylight", // the two bright scenes, with more to see in each
    scene: "roll",
    scenes: {
      roll: { inner: "other.chroma", punches: "drums.onsets" },
      balance: { knock: "drums.kick", chain: "vocals.notes" },
    },
  },
];

/** Nothing in a scene's slots but what is named. */
function only(scene: string, bindings: Bindings): Bindings {
  const slots = SCENES.find(({ id }) => id === scene)?.slots ?? [];
  return { ...Object.fromEntries(slots.map(({ id }) => [id, null])), ...bindings };
}

/** A preset as a file. */
export function writePreset({ name, scene, scenes }: Preset): string {
  return `${JSON.stringify({ kind: KIND, version: VERSION, name, scene, scenes }, null, 2)}\n`;
}

/** A preset out of a file, or why it is none. */
export function readPreset(text: string): { readonly preset: Preset } | { readonly refused: string } {
  if (text.length > MOST_BYTES) return { refused: "This file is too large for a preset." };
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return { refused: "This file is not JSON." };
  }
  if (!isObject(found) || found.kind !== KIND) return { refused: "This file is not a preset." };
  if (found.version !== VERSION) return { refused: "This preset is of another version than the page can read." };
  if (!isText(found.name, LONGEST_NAME)) return { refused: `A preset's name has 1 to ${LONGEST_NAME} letters.` };
  const scene = found.scene ?? null;
  if (scene !== null && !SCENES.some(({ id }) => id === scene))
    return { refused: "It opens a scene that is not here." };
  if (!isObject(found.scenes)) return { refused: "It says nothing of any scene." };
  const scenes: Record<string, Bindings> = {};
  for (const [id, bindings] of Object.entries(found.scenes)) {
    const known = SCENES.find((one) => one.id === id);
    if (!known) return { refused: `It has a scene that is not here: "${shown(id)}".` };
    if (!isObject(bindings)) return { refused: `What it has for ${known.name} is not a list of slots.` };
    const kept: Record<string, string | null> = {};
    for (const [slot, signal] of Object.entries(bindings)) {
      if (!known.slots.some((one) => one.id === slot))
        return { refused: `${known.name} has no slot "${shown(slot)}".` };
      if (signal !== null && !isText(signal, LONGEST_SIGNAL)) {
        return { refused: `In ${known.name}, "${shown(slot)}" has no name of a signal.` };
      }
      kept[slot] = signal;
    }
    scenes[id] = kept;
  }
  return { preset: { name: found.name, scene: scene as string | null, scenes } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text that is not blank, nor longer than it may be, nor has signs in it that cannot be seen. */
function isText(value: unknown, longest: number): value is string {
  return typeof value === "string" && value.trim() !== "" && value.length <= longest && !/[\p{Cc}\p{Cf}]/u.test(value);
}

function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "").slice(0, 40);
}
