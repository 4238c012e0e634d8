import { expect, test } from "vitest";
import { signalsOf } from "../signals/examples.ts";
import { Signals } from "../signals/signals.ts";
import { SCENES, sceneOf } from "./all.ts";
import { PRESETS, readPreset, writePreset } from "./presets.ts";
import { boundTo, defaultOf, rebind, show } from "./show.ts";

const file = (change: object) =>
  JSON.stringify({ kind: "stempipe-preset", version: 1, name: "Mine", scene: null, scenes: {}, ...change });

test("what is written is read", () => {
  for (const preset of PRESETS) expect(readPreset(writePreset(preset))).toEqual({ preset });
});

test.each([
  ["no JSON", "{"],
  ["no object", "[]"],
  ["too large", " ".repeat(70_000)],
  ["something else", JSON.stringify({ kind: "else" })],
  ["of another version", file({ version: 2 })],
  ["without a name", file({ name: " " })],
  ["of an endless name", file({ name: "a".repeat(61) })],
  ["of a name that turns around", file({ name: "a\u202eb" })],
  ["of an unknown scene", file({ scenes: { "<img>": {} } })],
  ["that opens no scene", file({ scene: "toString" })],
  ["of a scene from a prototype", '{"kind":"stempipe-preset","version":1,"name":"a","scenes":{"__proto__":{"x":"y"}}}'],
  ["of an unknown slot", file({ scenes: { rig: { constructor: "drums.kick" } } })],
  ["of a number for a signal", file({ scenes: { rig: { pan: 7 } } })],
  ["of a list of slots", file({ scenes: { rig: ["drums.kick"] } })],
])("a file that is %s is refused in words", (_, text) => {
  const read = readPreset(text);
  expect("refused" in read && read.refused).toMatch(/^[A-Z].*\.$/);
});

test("every slot's default is a signal of the built-in song that fits, but for the piano it has not", () => {
  const signals = signalsOf("song");
  for (const scene of SCENES) {
    for (const { id, signal, otherwise } of scene.slots) {
      if (signal === "piano.notes") continue;
      for (const usual of [signal, ...(otherwise ? [otherwise] : [])]) {
        expect(rebind(scene, id, usual, signals, {}), `${scene.id} ${id}`).toHaveProperty("bindings");
        expect(signals.input(usual).empty, `${scene.id} ${id}`).toBe(false);
      }
    }
  }
});

test("every preset's bindings fit", () => {
  const signals = signalsOf("song");
  for (const { scenes } of PRESETS) {
    for (const [id, bindings] of Object.entries(scenes)) {
      for (const [slot, signal] of Object.entries(bindings)) {
        expect(rebind(sceneOf(id), slot, signal, signals, {}), `${id} ${slot}`).toHaveProperty("bindings");
      }
    }
  }
});

test("a slot takes another signal, or says why not", () => {
  const signals = signalsOf("song");
  const rig = sceneOf("rig");
  const bound = rebind(rig, "outer", "other.chroma", signals, { pan: null });
  expect(bound).toEqual({ bindings: { pan: null, outer: "other.chroma" } });
  expect(rebind(rig, "pan", "bass.rms", signals, {})).toEqual({
    refused: "Pan wants hits or notes; Bass, loudness is a curve.",
  });
  expect(rebind(rig, "pan", "piano.notes", signals, {})).toEqual({ refused: "This song has no Piano, notes." });
  const pan = rig.slots.find(({ id }) => id === "pan");
  if (!pan) throw new Error("no pan");
  expect([boundTo(pan, {}, signals), boundTo(pan, { pan: null }, signals)]).toEqual(["song.bars", null]);
});

test("a preset that puts a curve where events belong leaves the slot empty", () => {
  const stage = show(sceneOf("rig"), signalsOf("song"), { pan: "bass.rms" }, { limit: true });
  expect(stage.input("pan")).toMatchObject({ empty: true, body: "song" });
});

test("a song in two stems has something else where others have drums and bass", () => {
  const [horizon, two, four] = [sceneOf("rig").slots[5], signalsOf("quiet"), signalsOf("song")];
  if (!horizon) throw new Error("no horizon");
  const neither = new Signals({ ...two.song, stems: ["vocals"], analysis: null, curves: null });
  expect([two, four, neither].map((signals) => defaultOf(horizon, signals))).toEqual([
    "other.rms",
    "bass.rms",
    "bass.rms",
  ]);
  expect(show(sceneOf("rig"), two, {}, { limit: true }).input("horizon")).toMatchObject({
    empty: false,
    body: "accompaniment",
  });
  expect(show(sceneOf("rig"), two, { horizon: null }, { limit: true }).input("horizon").empty).toBe(true);
});
