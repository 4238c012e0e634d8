import { expect, test } from "vitest";
import { usual } from "./loadout.ts";
import { destination, type Pick, requestsOf } from "./requests.ts";

test("files find the right card", () => {
  expect(destination(["a.mp3"], null)).toBe("song");
  expect(destination(["a.MID"], "song")).toBe("midi");
  expect(destination(["a.mid", "b.midi", "c.kar", "d.RMI"], null)).toBe("midi");
  expect(destination(["a.wav", "b.wav"], null)).toBe("ask");
  expect(destination(["a.wav", "b.wav"], "stems")).toBe("stems");
  expect(destination(["a.wav"], "stems")).toBe("stems");
});

const pick = (name: string, role: string): Pick => {
  const file = new File(["x"], name, { type: name.endsWith(".wav") ? "audio/wav" : "" });
  return { looked: { file, type: "wav", seconds: 1, isDeclared: true, fault: null }, role };
};
const options = { loadout: usual(["4stems"]), title: " My song " };

test("stems are one request, with a name for each file", () => {
  const [made, ...more] = requestsOf("stems", [pick("a.wav", "bass"), pick("b", "bass")], options);
  expect(more).toEqual([]);
  expect(made?.request).toMatchObject({
    title: "My song",
    stems: [
      { name: "bass", filename: "a.wav", size: 1, contentType: "audio/wav" },
      { name: "bass 2", filename: "b", size: 1 },
    ],
  });
  expect([...(made?.files.keys() ?? [])]).toEqual(["bass", "bass 2"]);
});

test("several songs are a request each, and have their own names", () => {
  const made = requestsOf("song", [pick("a.wav", "other"), pick("b.wav", "other")], options);
  expect(made.map(({ request }) => "title" in request)).toEqual([false, false]);
  expect(made.map(({ files }) => [...files.keys()])).toEqual([["song"], ["song"]]);
});

test("one MIDI file has the title that it was given", () => {
  expect(requestsOf("midi", [pick("a.mid", "other")], options)[0]?.request).toMatchObject({
    title: "My song",
    midi: { filename: "a.mid", size: 1 },
  });
});
