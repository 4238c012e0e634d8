// The choices of a project, for each of the three ways that music comes in, and the configuration that they make.

import type { components } from "../../api/schema.ts";
import type { Body } from "../../bodies.ts";
import { counted } from "../words.ts";

type Schemas = components["schemas"];
export type JobConfig = Schemas["JobConfig"];
export type Variant = NonNullable<JobConfig["modelVariant"]>;
export type Fps = NonNullable<Schemas["AnalysisConfig"]["fps"]>;
type MidiConfig = Schemas["MidiConfig"];
export type Grid = NonNullable<MidiConfig["quantise"]>;

/** How music comes in. */
export type Way = "song" | "stems" | "midi";
export const WAYS: readonly Way[] = ["song", "stems", "midi"];

/** The stems of each model, in the order of lanes. */
export const TEAMS: Readonly<Record<Variant, readonly Body[]>> = {
  "2stems": ["vocals", "accompaniment"],
  "4stems": ["drums", "vocals", "other", "bass"],
  "5stems": ["drums", "piano", "vocals", "other", "bass"],
};
export const VARIANTS = Object.keys(TEAMS) as Variant[];

/** File formats as they are chosen: "wav24" is a WAV of 24 bits. */
export type Files = "wav16" | "wav24" | "wav32" | "flac" | "mp3";
export const BITRATES = [128, 192, 256, 320] as const;
export const FRAME_RATES: readonly Fps[] = [24, 25, 30, 50, 60];
export const GRIDS: readonly Grid[] = [4, 8, 12, 16, 24, 32];
/** The most stems of one's own in a job. */
export const MOST_STEMS = 16;

export interface Loadout {
  readonly variant: Variant;
  /** Stems that are left out, by name. */
  readonly without: readonly string[];
  readonly bandwidth: "11khz" | "16khz";
  readonly above: "average" | "zeros";
  readonly files: Files;
  readonly bitrate: number;
  readonly sampleRate: 44100 | 48000;
  readonly analysis: boolean;
  readonly notes: boolean;
  readonly fps: Fps;
  readonly midi: MidiChoices;
}

export interface MidiChoices {
  /** The stem of a part, by "track:channel", or by "track" where channels are not parts. */
  readonly roles: Readonly<Record<string, string>>;
  readonly splitChannels: boolean;
  readonly tempo: number | null;
  readonly offset: number;
  readonly transpose: number;
  readonly quantise: Grid | null;
  readonly velocityCurve: number;
  readonly shortest: number;
  readonly sustain: boolean;
}

/** As most people want it, of what the service has. */
export function usual(models: readonly string[]): Loadout {
  const variant = (["4stems", "5stems", "2stems"] as const).find((name) => models.includes(name)) ?? "2stems";
  return {
    variant,
    without: [],
    bandwidth: "11khz",
    above: "average",
    files: "wav16",
    bitrate: 192,
    sampleRate: 44100,
    analysis: true,
    notes: true,
    fps: 60,
    midi: {
      roles: {},
      splitChannels: true,
      tempo: null,
      offset: 0,
      transpose: 0,
      quantise: null,
      velocityCurve: 1,
      shortest: 0.03,
      sustain: true,
    },
  };
}

/** The stems that are kept. */
export function kept(loadout: Loadout): Body[] {
  return TEAMS[loadout.variant].filter((stem) => !loadout.without.includes(stem));
}

/** The configuration of a job. The page always asks for what it plays: `player`. */
export function configOf(way: Way, loadout: Loadout): JobConfig {
  const analysis = { fps: loadout.fps, notes: loadout.notes };
  if (way === "midi") return { analysis, midi: midiOf(loadout.midi), player: true };
  const common: JobConfig = {
    quality: qualityOf(loadout),
    analysis: loadout.analysis ? analysis : null,
    player: true,
  };
  if (way === "stems") return common;
  return {
    ...common,
    model: "spleeter",
    modelVariant: loadout.variant,
    stems: Object.fromEntries(kept(loadout).map((stem) => [stem, true])),
    bandwidth: loadout.bandwidth,
    maskExtension: loadout.above,
  };
}

function qualityOf({ files, bitrate, sampleRate }: Loadout): Schemas["Quality"] {
  if (files === "mp3") return { outputFormat: "mp3", sampleRate, bitrate };
  if (files === "flac") return { outputFormat: "flac", sampleRate, bitDepth: 16 };
  return { outputFormat: "wav", sampleRate, bitDepth: Number(files.slice(3)) as 16 | 24 | 32 };
}

function midiOf(choices: MidiChoices): MidiConfig {
  const { roles, tempo, quantise, ...rest } = choices;
  return {
    ...rest,
    ...(Object.keys(roles).length ? { roles: { ...roles } } : {}),
    ...(tempo === null ? {} : { tempo }),
    ...(quantise === null ? {} : { quantise }),
  };
}

/** The loadout in a few words: "4 stems, WAV 16". */
export function summary(way: Way, loadout: Loadout): string {
  const files = FILE_NAMES[loadout.files];
  if (way === "song") return `${counted(kept(loadout).length, "stem")}, ${files}`;
  if (way === "stems") return loadout.analysis ? `${loadout.fps} frames a second` : "No analysis";
  const { tempo, quantise } = loadout.midi;
  return `${tempo ? `${tempo} BPM` : "Its tempo"}, ${quantise ? `1/${quantise} grid` : "as played"}`;
}

export const FILE_NAMES: Readonly<Record<Files, string>> = {
  wav16: "WAV 16",
  wav24: "WAV 24",
  wav32: "WAV float",
  flac: "FLAC",
  mp3: "MP3",
};

/** The roles that a stem may have, and those of MIDI one may besides leave out. */
export const ROLES: readonly string[] = ["drums", "bass", "vocals", "piano", "other"];

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/drum|perc|kick|snare|hi-?hat|cymbal|\btoms?\b|\bkit\b/, "drums"],
  [/bass(?!oon)/, "bass"],
  [/vocal|vox|voice|\bsing|choir|lyric|\bacap/, "vocals"],
  [/piano|rhodes|\bkeys\b|\bepi?\b/, "piano"],
];

/** The role that a file's name speaks of; "other", if none. */
export function roleOfName(name: string): string {
  const plain = name.toLowerCase().replaceAll("_", " ");
  return HINTS.find(([pattern]) => pattern.test(plain))?.[1] ?? "other";
}

/** Names for stems of these roles, each its own: a second one of a role is "bass 2". */
export function stemNames(roles: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return roles.map((role) => {
    const times = (seen.get(role) ?? 0) + 1;
    seen.set(role, times);
    return times === 1 ? role : `${role} ${times}`;
  });
}
