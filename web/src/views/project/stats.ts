// A fighter's stats are facts, true at this moment: what is needed, the time by what jobs took lately, the limits of
// this service, the options that are chosen. The cells beside them follow from the same numbers, and from nothing else.

import type { Stat } from "../parts/stat.tsx";
import { counted, limit, wait } from "../words.ts";
import { kept, type Loadout, MOST_STEMS, type Way } from "./loadout.ts";

export interface Facts {
  readonly loadout: Loadout;
  /** What the service refuses more than; null where nobody is signed in and none are known. */
  readonly limits: { readonly bytes: number; readonly seconds: number } | null;
  /** Seconds that a song takes from upload to its end, by this person's latest ones of each way; null without any. */
  readonly took: Readonly<Record<Way, number | null>>;
  /** This person's jobs that are not done. */
  readonly ahead: number;
}

/** The six stats of a way. */
export function statsOf(way: Way, facts: Facts): Stat[] {
  return [
    ease(way),
    speed(way, facts),
    fidelity(way, facts.loadout),
    control(way),
    room(way, facts),
    reward(way, facts.loadout),
  ];
}

function ease(way: Way): Stat {
  const [fact, files] = {
    song: ["1 file, nothing to prepare", 1],
    stems: [`1 to ${MOST_STEMS} files, same start`, MOST_STEMS],
    midi: ["1 .mid, notes and tracks", 3],
  }[way] as [string, number];
  // Ten for one file that anybody has; a cell less for each doubling of what is to be prepared.
  return { name: "Ease", fact, cells: Math.round(10 - 1.25 * Math.log2(files)) };
}

function speed(way: Way, { took, ahead }: Facts): Stat {
  const seconds = took[way];
  const queue = ahead === 0 ? "" : `, ${ahead} of yours ahead`;
  if (seconds === null) return { name: "Speed", fact: `No estimate yet${queue}`, cells: 0 };
  // Ten below two seconds; a cell less for each doubling.
  const cells = Math.round(11 - Math.log2(Math.max(2, seconds)));
  return { name: "Speed", fact: `≈ ${wait(seconds)}${queue}`, cells: Math.max(1, Math.min(10, cells)) };
}

function fidelity(way: Way, { bandwidth }: Loadout): Stat {
  if (way === "song") {
    const high = bandwidth === "16khz";
    return { name: "Fidelity", fact: `Estimated, up to ${high ? 16 : 11} kHz`, cells: high ? 7 : 6 };
  }
  if (way === "stems") return { name: "Fidelity", fact: "Your recordings, untouched", cells: 10 };
  return { name: "Fidelity", fact: "Notes exact, no recording", cells: 9 };
}

const OPTIONS: Readonly<Record<Way, readonly string[]>> = {
  song: ["team", "keep", "hearing", "above", "files", "rate", "light", "notes"],
  stems: ["roles", "title", "files", "rate", "light", "notes"],
  midi: ["roles", "channels", "tempo", "offset", "transpose", "quantise", "velocity", "shortest", "sustain", "light"],
};

function control(way: Way): Stat {
  const fact = {
    song: "Team, hearing, files …",
    stems: "A role for every file …",
    midi: "Roles, tempo, quantise …",
  }[way];
  const options = OPTIONS[way].length;
  return { name: "Control", fact: `${options} options: ${fact.toLowerCase()}`, cells: Math.min(10, options) };
}

function room(way: Way, { limits }: Facts): Stat {
  if (way === "midi") return { name: "Room", fact: "Format 0 and 1", cells: 8 };
  if (limits === null) return { name: "Room", fact: "As the service allows", cells: 0 };
  const minutes = `${Math.floor(limits.seconds / 60)} min`;
  const bytes = limit(limits.bytes);
  const fact = way === "song" ? `${minutes}, ${bytes}` : `${MOST_STEMS} files, ${bytes} in all`;
  // An hour would be ten.
  const cells = Math.round(10 + 1.2 * Math.log2(Math.min(1, limits.seconds / 3600)));
  return { name: "Room", fact, cells: Math.max(1, Math.min(10, cells + (way === "stems" ? 2 : 0))) };
}

function reward(way: Way, loadout: Loadout): Stat {
  const takes = [
    ...(way === "song" ? [counted(kept(loadout).length, "stem")] : []),
    ...(way === "midi" || loadout.analysis ? (loadout.notes || way === "midi" ? ["MIDI", "data"] : ["data"]) : []),
    ...(way === "midi" || loadout.analysis ? ["video"] : []),
  ];
  const fact = takes.join(", ") || "A player for them";
  return { name: "Reward", fact, cells: Math.max(1, Math.round((takes.length / 4) * 10)) };
}
