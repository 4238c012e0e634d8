import { expect, test } from "vitest";
import { signalsOf } from "./examples.ts";
import { Foremost } from "./levels.ts";
import { nothing } from "./signal.ts";
import { Signals } from "./signals.ts";

const song = signalsOf("song");

test("the song has what was played in it, at the right time", () => {
  const bar = (60 / 104) * 4;
  const chorus = 12 * bar;
  expect(
    song
      .input("drums.kick")
      .events(chorus - 0.05, chorus + bar - 0.05)
      .map(({ t }) => Math.round(Math.abs(t - chorus) / (bar / 4))),
  ).toEqual([0, 1, 2, 3]);
  const sung = song.input("vocals.pitch").pitch(chorus + 0.6);
  expect(Math.abs((sung ?? 0) - 76)).toBeLessThan(0.6);
  expect(song.input("song.beats").events(0, song.song.duration).length).toBeGreaterThan(90);
  expect(song.input("song.tempo").value(20)).toBeCloseTo((104 - 40) / 160, 2);
});

test("all that is listed can be had, is from 0 to 1, and has words", () => {
  for (const { id, name, kind } of song.list()) {
    const input = song.input(id);
    expect(input.kind, id).toBe(kind);
    expect(name, id).not.toBe("");
    for (let t = -1; t < song.song.duration + 2; t += 0.37) {
      const value = input.value(t);
      expect(value >= 0 && value <= 1, `${id} at ${t}: ${value}`).toBe(true);
    }
  }
  const ids = song.list().map(({ id }) => id);
  for (const id of ["drums.hat", "drums.onsets", "bass.rms", "bass.pitch", "other.notes", "other.chroma", "song.bars"])
    expect(ids).toContain(id);
});

test("a level has the whole range in a loud song and in a soft one", () => {
  const levels = Array.from({ length: 300 }, (_, step) => song.input("bass.rms").value(8 + step / 10));
  expect(Math.max(...levels)).toBeGreaterThan(0.9);
  expect(Math.min(...levels)).toBeLessThan(0.3);
});

test("stems by names of somebody's own are found by their bodies", () => {
  const own = signalsOf("named");
  expect(own.find("vocals.pitch")).toBe("Lead Vox.pitch");
  expect(own.find("drums.kick")).toBe("Kick.mic.kick");
  expect(own.find("Kick.mic.kick")).toBe("Kick.mic.kick");
  expect(own.find("other.notes")).toBe("<b>Gtr</b>.notes");
  expect(own.find("bass.rms")).toBeNull();
  expect(own.input("bass.rms")).toMatchObject({ empty: true, body: "bass" });
  expect(own.find("__proto__.constructor")).toBeNull();
});

test("MIDI has no level, but what is played", () => {
  const played = signalsOf("midi");
  expect(played.song.analysis?.mix).toBeNull();
  expect(played.input("vocals.rms").value(0.3)).toBeGreaterThan(0.3);
  expect(played.input("song.rms").value(0.3)).toBeGreaterThan(0.3);
  expect(played.input("other.chroma").events(0, 9).length).toBeGreaterThan(3);
  expect(played.find("vocals.brightness")).toBeNull();
});

test("what is silent says so, and accompaniment stands for other", () => {
  const soft = signalsOf("quiet");
  expect(soft.list().filter(({ stem, silent }) => stem === "vocals" && !silent)).toEqual([]);
  expect(soft.find("other.notes")).toBe("accompaniment.notes");
});

test("a song without analysis has a grid all the same", () => {
  const bare = new Signals({ title: "", duration: 8, stems: ["vocals"], analysis: null, curves: null });
  expect(bare.list().every(({ silent }) => silent)).toBe(true);
  expect(bare.grid.beats(0, 8).map(({ t }) => t)).toEqual(Array.from({ length: 16 }, (_, beat) => beat / 2));
});

test("places and times of the grid are each other's way back, also outside of what was heard", () => {
  for (const t of [-0.9, 0, 0.3, 13.77, 55, 58]) expect(song.grid.time(song.grid.place(t))).toBeCloseTo(t, 9);
  const bar = song.grid.bar(30);
  expect(bar.end - bar.start).toBe(4);
});

test("a note that still lasts is among the events of a time", () => {
  const notes = song.input("other.notes");
  const first = notes.events(20, 21)[0];
  if (!first) throw new Error("nothing sounds");
  expect(notes.events(first.t + first.d / 2, first.t + first.d / 2 + 0.001)).toContain(first);
  expect(notes.events(first.t + first.d + 0.01, first.t + first.d + 0.011)).not.toContain(first);
  expect(notes.phase(first.t + 0.001)).toBeGreaterThanOrEqual(1);
});

test("ten kicks a second are all there", () => {
  expect(signalsOf("frantic").input("drums.kick").events(0, 6)).toHaveLength(55);
});

test("several stems of one body are heard together, and each by itself", () => {
  const named = signalsOf("named").song;
  const track = named.analysis?.stems["<b>Gtr</b>"];
  if (!named.analysis || !track?.notes) throw new Error("no notes");
  const [early, late] = [track.notes.slice(0, 3), track.notes.slice(3, 6)];
  const analysis = {
    ...named.analysis,
    stems: { other: { ...track, notes: late }, "other 2": { ...track, notes: early } },
  };
  const two = new Signals({ ...named, stems: ["other", "other 2"], analysis, curves: null });
  expect([...new Set(two.list().map(({ stem }) => stem))]).toEqual(["other", "other 1", "other 2", "song"]);
  const times = (id: string) =>
    two
      .input(id)
      .events(0, 99)
      .map(({ t }) => t);
  expect(times("other.notes")).toEqual(track.notes.slice(0, 6).map(({ t }) => t));
  expect(times("other 1.notes")).toEqual(late.map(({ t }) => t));
  expect(times("other 2.notes")).toEqual(early.map(({ t }) => t));
  const [first] = early;
  const sounding = two.input("other.pitch").pitch((first?.t ?? 0) + 0.01);
  expect(track.notes.slice(0, 6).map(({ p }) => p)).toContain(sounding);
});

test("the loudest of several stems is the one that is followed", () => {
  const curve = (level: number, note: number | null) => ({
    ...nothing("other"),
    empty: false,
    pitched: true,
    range: [note ?? 60, (note ?? 60) + 1] as const,
    value: () => level,
    pitch: () => note,
  });
  const [soft, loud, none] = [curve(0.2, 50), curve(0.8, 70), curve(0.9, null)];
  expect(new Foremost("other", [soft, loud, none], [soft, loud, none]).pitch(0)).toBe(70);
  expect(new Foremost("other", [soft, loud], [soft, loud]).value(0)).toBeCloseTo(20 / 21, 9);
  expect(new Foremost("other", [none], [none]).pitch(0)).toBeNull();
});

test("before a song and after it there is silence", () => {
  const other = song.input("other.rms");
  expect(other.value(0.1)).toBeGreaterThan(0.3);
  expect([-1, song.song.duration + 1].map((t) => other.value(t))).toEqual([0, 0]);
});
