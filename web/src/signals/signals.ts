// All signals of a song, by name. A picture asks for "vocals.pitch" and need not know what the song calls its voice.

import { type Body, bodyOf } from "../bodies.ts";
import { compare, DRUMS, isFine, nameOf, parts, SONG } from "./catalogue.ts";
import { chromaEvents } from "./chroma.ts";
import { Events, PitchOfNotes } from "./events.ts";
import { Grid } from "./grid.ts";
import { Computed, Level, Loudest, Share, Span } from "./levels.ts";
import { type Happening, type Input, nothing, type Signal } from "./signal.ts";
import type { Song, Track } from "./song.ts";
import { together } from "./together.ts";

type Make = () => Input;
const SLOW = 40; // beats a minute
const FAST = 200;

export class Signals {
  readonly song: Song;
  readonly grid: Grid;
  readonly #makes = new Map<string, Make>();
  readonly #inputs = new Map<string, Input>();
  readonly #list: Omit<Signal, "silent">[] = [];

  constructor(song: Song) {
    this.song = song;
    this.grid = new Grid(song.analysis, song.duration);
    // "song" is the name of all of them together, and a body's name that of all of its stems: where there are several,
    // one that is called so is the first.
    const stems = song.stems.filter((stem) => stem !== SONG);
    for (const body of new Set(stems.map(bodyOf))) {
      const alike = stems.filter((stem) => bodyOf(stem) === body);
      const makes = alike.map((stem) => this.#ofStem(stem));
      if (alike.length > 1) this.#offer(body, body, together(body, makes));
      alike.forEach((stem, place) => {
        this.#offer(alike.length > 1 && stem === body ? `${body} 1` : stem, body, makes[place] ?? new Map());
      });
    }
    this.#offer(SONG, "song", this.#ofSong());
  }

  /** Those of the song, stem by stem in the order of their lanes, the song's own last. */
  list(): readonly Signal[] {
    return this.#list.map((signal) => ({ ...signal, silent: this.input(signal.id).empty }));
  }

  /**
   * The id by which the song has a signal; null if it has none. A body's name stands for its stem, whatever that is
   * called, so that what was made for one song goes with the next.
   */
  find(id: string): string | null {
    if (this.#makes.has(id)) return id;
    const { stem, field } = parts(id);
    const alike = this.song.stems.filter((name) => bodyOf(name) === stem);
    if (stem === "other") alike.push(...this.song.stems.filter((name) => bodyOf(name) === "accompaniment"));
    return alike.map((name) => `${name}.${field}`).find((name) => this.#makes.has(name)) ?? null;
  }

  /** A signal, made when it is first asked for; of what the song has not, nothing. */
  input(id: string): Input {
    const found = this.find(id);
    if (found === null) return nothing(bodyOf(parts(id).stem));
    const input = this.#inputs.get(found) ?? (this.#makes.get(found) as Make)();
    this.#inputs.set(found, input);
    return input;
  }

  #offer(stem: string, body: Body, makes: ReadonlyMap<string, Make>): void {
    for (const field of [...makes.keys()].sort(compare)) {
      const id = `${stem}.${field}`;
      const make = makes.get(field) as Make;
      this.#makes.set(id, make);
      const kind = isList(field) ? "events" : "curve";
      this.#list.push({ id, stem, body, name: nameOf(field), kind, fine: isFine(field) });
    }
  }

  #ofStem(stem: string): Map<string, Make> {
    const body = bodyOf(stem);
    const analysis = this.song.analysis;
    const track = analysis && Object.hasOwn(analysis.stems, stem) ? analysis.stems[stem] : undefined;
    const makes = this.#curves(stem, body);
    if (!track) return makes;
    makes.set("onsets", () => new Events(body, track.onsets.map(stroke)));
    if (track.hits) {
      const hits = happenings(track);
      makes.set("hits", () => new Events(body, hits));
      for (const [name, drums] of Object.entries(DRUMS)) {
        makes.set(
          name,
          () =>
            new Events(
              body,
              hits.filter(({ kind }) => (drums as readonly string[]).includes(kind)),
            ),
        );
      }
    }
    if (track.notes) {
      const notes = happenings(track);
      makes.set("notes", () => new Events(body, notes, true));
      if (!makes.has("pitch")) makes.set("pitch", () => new PitchOfNotes(new Events(body, notes, true)));
    }
    return makes;
  }

  #ofSong(): Map<string, Make> {
    const { analysis, duration, stems } = this.song;
    const makes = this.#curves(null, "song");
    makes.delete("chroma"); // twelve notes at a time are none
    if (!makes.has("rms")) {
      makes.set(
        "rms",
        () =>
          new Loudest(
            "song",
            stems.map((stem) => this.input(`${stem}.rms`)),
          ),
      );
    }
    const beats = this.grid.beats(0, duration);
    if (analysis && analysis.beats.length > 1) {
      const struck = beats.map(({ t, beat }) => ({ t, d: 0, v: beat === 1 ? 1 : 0.6, note: null, kind: "" }));
      makes.set("beats", () => new Events("song", struck));
      makes.set(
        "bars",
        () =>
          new Events(
            "song",
            struck.filter((_, index) => beats[index]?.beat === 1),
          ),
      );
      makes.set("tempo", () => new Computed("song", (t) => (this.grid.tempo(t) - SLOW) / (FAST - SLOW)));
    }
    if (analysis?.mix) {
      const { onsets } = analysis.mix;
      makes.set("onsets", () => new Events("song", onsets.map(stroke)));
    }
    if (stems.some((stem) => analysis?.stems[stem]?.notes)) makes.set("notes", () => this.#allNotes());
    return makes;
  }

  #curves(stem: string | null, body: Body): Map<string, Make> {
    const makes = new Map<string, Make>();
    const curves = this.song.curves;
    if (!curves) return makes;
    const chroma = Array.from({ length: 12 }, (_, pitchClass) => curves.field(stem, `chroma_${pitchClass}`));
    const fields = chroma.filter((field) => field !== null);
    for (const name of curves.names(stem)) {
      const field = curves.field(stem, name);
      if (!field || name.startsWith("chroma_")) continue;
      // Of MIDI there is no level, but how hard it is played.
      if (name === "activity") makes.set("rms", () => new Share(body, field));
      else if (field.scale.unit === "dBFS") makes.set(name, () => new Level(body, field));
      else if (field.scale.unit === "") makes.set(name, () => new Share(body, field));
      else makes.set(name, () => new Span(body, field, name === "pitch"));
    }
    const level = makes.get("rms");
    if (fields.length === 12 && level && body !== "drums") {
      makes.set("chroma", () => {
        const loudness = level();
        return new Events(
          body,
          chromaEvents(fields, (seconds) => loudness.value(seconds)),
          true,
        );
      });
    }
    return makes;
  }

  #allNotes(): Input {
    const notes = this.song.stems.flatMap((stem) => {
      const track = this.song.analysis?.stems[stem];
      return track?.notes ? happenings(track).map((note) => ({ ...note, kind: bodyOf(stem) })) : [];
    });
    return new Events(
      "song",
      notes.sort((one, other) => one.t - other.t),
      true,
    );
  }
}

const LISTS = new Set(["hits", "notes", "onsets", "chroma", "beats", "bars", ...Object.keys(DRUMS)]);

function isList(field: string): boolean {
  return LISTS.has(field);
}

function stroke({ t, v }: { t: number; v: number }): Happening {
  return { t, d: 0, v, note: null, kind: "" };
}

/** A track's hits, else its notes. */
function happenings(track: Track): Happening[] {
  if (track.hits) return track.hits.map(({ t, v, drum }) => ({ t, d: 0, v, note: null, kind: drum }));
  return (track.notes ?? []).map(({ t, d, v, p }) => ({ t, d, v, note: p, kind: "" }));
}
