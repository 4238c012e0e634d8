import { expect, test } from "vitest";
import { usual } from "./loadout.ts";
import { type Facts, statsOf } from "./stats.ts";

const facts: Facts = {
  loadout: usual(["4stems"]),
  limits: { bytes: 524_288_000, seconds: 600 },
  took: { song: 38, stems: 12, midi: null },
  ahead: 2,
};

const fact = (way: "song" | "stems" | "midi", name: string, more: Partial<Facts> = {}) =>
  statsOf(way, { ...facts, ...more }).find((stat) => stat.name === name);

test("the same six stats for each way, of one to ten cells", () => {
  for (const way of ["song", "stems", "midi"] as const) {
    const stats = statsOf(way, facts);
    expect(stats.map((stat) => stat.name)).toEqual(["Ease", "Speed", "Fidelity", "Control", "Room", "Reward"]);
    for (const { cells, fact, name } of stats) {
      expect(Number.isInteger(cells) && cells <= 10).toBe(true);
      expect(cells).toBeGreaterThanOrEqual(fact.startsWith("No estimate") ? 0 : 1);
      expect(fact, name).not.toBe("");
    }
  }
});

test("speed is what jobs took, or that nobody knows", () => {
  expect(fact("song", "Speed")?.fact).toBe("≈ 38 s, 2 of yours ahead");
  expect(fact("midi", "Speed")).toEqual({ name: "Speed", fact: "No estimate yet, 2 of yours ahead", cells: 0 });
  const faster = { took: { ...facts.took, song: 5 } };
  expect(fact("song", "Speed", faster)?.cells).toBeGreaterThan(fact("song", "Speed")?.cells ?? 10);
});

test("room is the service's, and unknown before one signs in", () => {
  expect(fact("song", "Room")?.fact).toBe("10 min, 500 MB");
  expect(fact("song", "Room", { limits: null })?.cells).toBe(0);
});

test("options change what one gets", () => {
  const less = { ...facts.loadout, analysis: false, without: ["bass"] };
  expect(fact("song", "Reward")?.fact).toBe("4 stems, MIDI, data, video");
  expect(fact("song", "Reward", { loadout: less })?.fact).toBe("3 stems");
  expect(fact("song", "Fidelity", { loadout: { ...less, bandwidth: "16khz" } })?.cells).toBe(7);
});
