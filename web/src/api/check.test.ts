import { expect, test } from "vitest";
import { look, refuseMidi, refuseName, refuseSong, refuseStems } from "./check.ts";
import { declaredSeconds, sniff } from "./sniff.ts";

const LIMITS = { bytes: 100_000_000, seconds: 600, models: ["2stems"] };
const text = (words: string) => new TextEncoder().encode(words);
const join = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));
const number = (value: number, bytes: number, isLittle = false) => {
  const made = Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) % 256);
  return isLittle ? made.reverse() : made;
};
const little = (value: number, bytes = 4) => number(value, bytes, true);

/** A head of stereo at 44,100 Hz with 16 bits, behind a chunk of something else. */
const wav = (bytes: number) =>
  join(
    text("RIFF"),
    little(0),
    text("WAVE"),
    text("LIST"),
    little(3),
    text("abc"),
    little(0, 1),
    text("fmt "),
    little(16),
    little(1, 2),
    little(2, 2),
    little(44_100),
    little(176_400),
    little(4, 2),
    little(16, 2),
    text("data"),
    little(bytes),
  );
const flac = (samples: number) =>
  join(
    text("fLaC"),
    number(0x22, 4),
    new Uint8Array(10),
    number(44_100 * 16 + 2, 3),
    number(0xf0, 1),
    number(samples, 4),
  );
const aiff = (frames: number) =>
  join(
    text("FORM"),
    number(0, 4),
    text("AIFFCOMM"),
    number(18, 4),
    number(2, 2),
    number(frames, 4),
    number(16, 2),
    number(0x400e, 2),
    number(44_100 * 2 ** 16, 4),
    number(0, 4),
  );

const file = (head: Uint8Array, size = head.length, name = "song") => {
  const made = new File([head as Uint8Array<ArrayBuffer>], name);
  if (size !== head.length) Object.defineProperty(made, "size", { value: size });
  return made;
};
const looked = (head: Uint8Array, size?: number, seconds: number | null = null) =>
  look(file(head, size), async () => seconds);

test.each([
  ["wav", wav(4)],
  ["aiff", aiff(4)],
  ["flac", flac(4)],
  ["ogg", text("OggS")],
  ["mp4", join(number(32, 4), text("ftypM4A "))],
  ["webm", number(0x1a45dfa3, 4)],
  ["mp3", text("ID3")],
  ["mp3", join(new Uint8Array(500), number(0xfffb9064, 4))],
  ["aac", number(0xfff15080, 4)],
  ["midi", text("MThd")],
  [null, text("<!doctype html>")],
  [null, text("%PDF-1.7")],
  [null, join(number(0x89, 1), text("PNG"))],
  [null, new Uint8Array(0)],
])("a file is %s by its bytes", (type, head) => {
  expect(sniff(head)).toBe(type);
});

test("heads say how long a song is", () => {
  expect(declaredSeconds(wav(176_400 * 90), 1e9)).toBe(90);
  expect(declaredSeconds(flac(44_100 * 90), 1e9)).toBe(90);
  expect(declaredSeconds(aiff(44_100 * 90), 1e9)).toBe(90);
});

test("a length that is none, or more than there is, is that of the file", () => {
  const head = wav(0xffffffff);
  expect(declaredSeconds(head, head.length + 176_400 * 3)).toBe(3);
  expect(declaredSeconds(wav(0), head.length + 176_400 * 3)).toBe(3);
  expect(declaredSeconds(flac(0), 1e9)).toBeNull();
  expect(declaredSeconds(wav(4).subarray(0, 40), 1e9)).toBeNull();
});

test("a song is refused by what the service would refuse it for, and its bytes come first", async () => {
  const codes = async (head: Uint8Array, size?: number, seconds?: number | null) =>
    refuseSong(await looked(head, size, seconds), LIMITS)?.code;
  expect(await codes(new Uint8Array(0))).toBe("empty_file");
  expect(await codes(text("x"), LIMITS.bytes + 1)).toBe("too_large");
  expect(await codes(text("not sound"))).toBe("unsupported_media");
  expect(await codes(text("MThd"))).toBe("unsupported_media");
  expect(await codes(wav(176_400 * 601), 2e8)).toBe("too_large");
  expect(await codes(flac(44_100 * 601))).toBe("too_long");
  expect(await codes(flac(44_100 * 600))).toBeUndefined();
  expect(await codes(text("ID3"), 10, 700)).toBe("too_long");
  // What is only reckoned may be a little wrong.
  expect(await codes(text("ID3"), 10, 620)).toBeUndefined();
  expect(await codes(text("ID3"), 10, null)).toBeUndefined();
});

test("the words are the service's", async () => {
  const refusal = refuseSong(await looked(text("x"), 123_456_789), LIMITS);
  expect(refusal?.message).toBe(
    "The file has 123,456,789 bytes; the limit is 100,000,000. " +
      "Upload a shorter song, or a compressed format such as FLAC or MP3.",
  );
});

test("stems are refused one by one, and all together", async () => {
  const good = await looked(flac(44_100));
  const half = await looked(flac(44_100), LIMITS.bytes / 2 + 1);
  expect(refuseStems([{ name: "drums", looked: good }], LIMITS)).toEqual({ each: new Map(), all: null });
  const { each } = refuseStems(
    [
      { name: "Drums", looked: good },
      { name: "drums", looked: good },
      { name: "mix", looked: good },
      { name: "bass", looked: await looked(new Uint8Array(0)) },
    ],
    LIMITS,
  );
  expect([...each].map(([place, { code }]) => [place, code])).toEqual([
    [1, "invalid_request"],
    [2, "invalid_request"],
    [3, "empty_file"],
  ]);
  expect(
    refuseStems(
      [
        { name: "a", looked: half },
        { name: "b", looked: half },
      ],
      LIMITS,
    ).all?.code,
  ).toBe("too_large");
  const many = Array.from({ length: 17 }, (_, i) => ({ name: `${i}`, looked: good }));
  expect(refuseStems(many, LIMITS).all?.code).toBe("invalid_request");
});

test.each(["drums", "Lead Vox 2", "Größe", "a".repeat(64)])("a stem may be called %s", (name) => {
  expect(refuseName(name)).toBeNull();
});

test.each(["", "mix", "MIX", "..", " ", "a/b", "a\\b", "a:b", "a\u202eb", "a\nb", "a".repeat(65)])(
  "a stem may not be called %j",
  (name) => {
    expect(refuseName(name)?.code).toBe("invalid_request");
  },
);

const track = join(text("MTrk"), number(4, 4), number(0x00ff2f00, 4));
const midi = (format: number, ...chunks: Uint8Array[]) =>
  join(text("MThd"), number(6, 4), number(format, 2), number(1, 2), number(480, 2), ...chunks);

test("MIDI is known by its head, and may have 4 MB", async () => {
  expect(refuseMidi(await looked(midi(1, track)))).toBeNull();
  expect(refuseMidi(await looked(text("ID3")))?.code).toBe("not_midi");
  expect(refuseMidi(await looked(new Uint8Array(0)))?.code).toBe("empty_file");
  expect(refuseMidi(await looked(text("MThd"), 5_000_000))?.code).toBe("midi_too_large");
});

test.each([
  [
    midi(1, track.slice(0, -1)),
    "The MIDI file is cut: a track says it has 4 bytes, and 3 are there. Send the whole file.",
  ],
  [midi(1), "The MIDI file has no tracks. Export it again."],
  [midi(2, track), "MIDI of format 2 is not one song. Export it as format 0 or 1."],
  [text("MThd"), "The MIDI file ends within its header. Export it again."],
  [join(text("RIFF"), little(4), text("RMID")), "The RIFF file has no MIDI in it. Export it again, as .mid."],
])("MIDI that the service does not take is refused in its words", async (bytes, words) => {
  expect(refuseMidi(await looked(bytes))?.message).toBe(words);
});
