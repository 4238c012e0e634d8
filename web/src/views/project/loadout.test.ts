import { expect, test } from "vitest";
import { bodyOf } from "../../bodies.ts";
import { configOf, kept, roleOfName, stemNames, summary, usual } from "./loadout.ts";

const loadout = usual(["2stems", "4stems"]);

test("the usual model is the one of four stems, where there is one", () => {
  expect(usual(["2stems"]).variant).toBe("2stems");
  expect(loadout.variant).toBe("4stems");
  expect(usual([]).variant).toBe("2stems");
});

test("a song asks for the stems that are kept, to be played", () => {
  const chosen = { ...loadout, without: ["bass"], files: "wav24" } as const;
  expect(configOf("song", chosen)).toEqual({
    model: "spleeter",
    modelVariant: "4stems",
    stems: { drums: true, vocals: true, other: true },
    quality: { outputFormat: "wav", sampleRate: 44100, bitDepth: 24 },
    bandwidth: "11khz",
    maskExtension: "average",
    analysis: { fps: 60, notes: true },
    player: true,
  });
  expect(kept(chosen)).toEqual(["drums", "vocals", "other"]);
});

test("an MP3 has a bitrate and no bit depth", () => {
  expect(configOf("song", { ...loadout, files: "mp3" }).quality).toEqual({
    outputFormat: "mp3",
    sampleRate: 44100,
    bitrate: 192,
  });
});

test("stems of one's own are not separated", () => {
  expect(Object.keys(configOf("stems", { ...loadout, analysis: false }))).toEqual(["quality", "analysis", "player"]);
  expect(configOf("stems", { ...loadout, analysis: false }).analysis).toBeNull();
});

test("MIDI says only what differs from the file", () => {
  const midi = { ...loadout.midi, tempo: 120, roles: { "1:10": "drums" } };
  const { midi: config, quality } = configOf("midi", { ...loadout, midi });
  expect(quality).toBeUndefined();
  expect(config).toEqual({
    roles: { "1:10": "drums" },
    tempo: 120,
    splitChannels: true,
    offset: 0,
    transpose: 0,
    velocityCurve: 1,
    shortest: 0.03,
    sustain: true,
  });
});

test("a loadout in a few words", () => {
  expect(summary("song", loadout)).toBe("4 stems, WAV 16");
  expect(summary("midi", loadout)).toBe("Its tempo, as played");
});

test.each([
  ["Night Bus_LeadVox.wav", "vocals"],
  ["kick_in.wav", "drums"],
  ["Bassoon.flac", "other"],
  ["Rhodes L.wav", "piano"],
  ["track 7.wav", "other"],
])("%s sounds like %s", (name, role) => expect(roleOfName(name)).toBe(role));

test("two of a role have names of their own, and one body", () => {
  expect(stemNames(["bass", "other", "bass"])).toEqual(["bass", "other", "bass 2"]);
  expect(bodyOf("bass 2")).toBe("bass");
  expect(bodyOf("theremin")).toBe("other");
});
