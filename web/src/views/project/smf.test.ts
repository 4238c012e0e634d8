import { expect, test } from "vitest";
import { Refusal } from "../../api/errors.ts";
import { readScore } from "./smf.ts";

const ascii = (text: string) => [...text].map((character) => character.charCodeAt(0));
const u32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
const chunk = (name: string, data: number[]) => [...ascii(name), ...u32(data.length), ...data];
const head = (format: number, tracks: number, division = 480) =>
  chunk("MThd", [0, format, 0, tracks, division >> 8, division & 255]);
const END = [0, 0xff, 0x2f, 0];
const named = (name: string) => [0, 0xff, 3, name.length, ...ascii(name)];
const file = (...parts: number[][]) => new Uint8Array(parts.flat());

// 480 ticks, as a number of varying length
const BEAT = [0x83, 0x60];

test("parts are tracks and their channels, with a guess of what they are", () => {
  const bytes = file(
    head(1, 3),
    chunk("MTrk", [0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20, ...END]),
    chunk("MTrk", [...named("Fingered Bass"), 0, 0x90, 40, 100, ...BEAT, 0x80, 40, 0, ...END]),
    // two channels in one track; the second note on by running status, and one of velocity 0, which ends it
    chunk("MTrk", [
      0,
      0x99,
      36,
      90,
      ...BEAT,
      38,
      90,
      0,
      36,
      0,
      0,
      0xc1,
      52,
      0,
      0x91,
      60,
      80,
      ...BEAT,
      0x81,
      60,
      0,
      ...END,
    ]),
  );
  const score = readScore(bytes);
  expect(score).toMatchObject({ format: 1, bpm: 120, rubato: false, seconds: 1 });
  expect(score.parts.map(({ track, channel, name, role, notes }) => [track, channel, name, role, notes])).toEqual([
    [2, 1, "Fingered Bass", "bass", 1],
    [3, 10, "", "drums", 2],
    [3, 2, "", "vocals", 1],
  ]);
  expect(score.parts[1]?.marks).toEqual([
    { at: 0, pitch: 36 },
    { at: 0.5, pitch: 38 },
  ]);
  expect(readScore(bytes, false).parts.map(({ channel, notes }) => [channel, notes])).toEqual([
    [null, 1],
    [null, 3],
  ]);
});

test("the length follows changes of the tempo", () => {
  const tempo = (micros: number) => [0xff, 0x51, 3, micros >> 16, (micros >> 8) & 255, micros & 255];
  const bytes = file(
    head(0, 1),
    chunk("MTrk", [0, ...tempo(500_000), 0, 0x90, 60, 1, ...BEAT, ...tempo(1_000_000), ...BEAT, 0x80, 60, 0, ...END]),
  );
  expect(readScore(bytes)).toMatchObject({ seconds: 1.5, rubato: true, bpm: 120 });
});

test("frames a second instead of beats", () => {
  const bytes = file(head(0, 1, 0xe728), chunk("MTrk", [0, 0x90, 60, 1, 0x87, 0x40, 0x80, 60, 0, ...END]));
  expect(readScore(bytes).seconds).toBeCloseTo(960 / 1000);
});

test.each([
  ["another file", new Uint8Array(ascii("RIFFxxxxWAVE"))],
  ["nothing", new Uint8Array()],
  ["format 2", file(head(2, 1))],
  ["half a track", file(head(0, 1), chunk("MTrk", [0, 0x90, 60]))],
  ["a data byte without a status", file(head(0, 1), chunk("MTrk", [0, 60, 60]))],
])("%s is refused in words", (_, bytes) => expect(() => readScore(bytes)).toThrow(Refusal));

test("a name is read in the encoding that it is in", () => {
  const named = (...name: number[]) =>
    readScore(file(head(0, 1), chunk("MTrk", [0, 0xff, 3, name.length, ...name, 0, 0x90, 60, 1, ...END]))).parts[0]
      ?.name;
  expect(named(...new TextEncoder().encode("鍵盤"))).toBe("鍵盤");
  expect(named(0x46, 0x6c, 0xfc, 0x67, 0x65, 0x6c)).toBe("Flügel"); // Latin-1
});

test("a RIFF file's MIDI is read, and tracks that the header does not count", () => {
  const track = chunk("MTrk", [0, 0x90, 60, 1, ...END]);
  const midi = [...head(1, 1), ...track, ...track];
  const little = (value: number) => u32(value).reverse();
  const riff = [...ascii("RIFF"), ...little(midi.length + 12), ...ascii("RMIDdata"), ...little(midi.length), ...midi];
  expect(readScore(file(riff)).parts.map(({ track }) => track)).toEqual([1, 2]);
});
