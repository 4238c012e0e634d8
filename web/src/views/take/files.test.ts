import { expect, test } from "vitest";
import type { JobFile } from "../../api/client.ts";
import { filesSize, stemFiles } from "./files.ts";

const file = (name: string, kind: JobFile["kind"], stem: string | null, bytes: number | null = 1_500_000): JobFile => ({
  name,
  kind,
  stem,
  bytes,
  url: "https://example.com",
});
const FILES = [
  file("vocals.flac", "stem", "vocals"),
  file("vocals.player.flac", "player", "vocals"),
  file("vocals.peaks.dat", "player", "vocals", 900),
  file("kick_.player.flac", "player", "kick?"),
  file("kick_.mid", "analysis", "kick?", 300),
  file("analysis.json", "analysis", null, 34_000),
];

test("a stem is its own file, else what the page plays of it, whatever the file is called", () => {
  expect(stemFiles(FILES, ["kick?", "vocals", "none"]).map(({ name }) => name)).toEqual([
    "kick_.player.flac",
    "vocals.flac",
  ]);
});

test("of jobs from before a file's stem was said, its name says it", () => {
  expect(stemFiles([file("bass.player.flac", "player", null)], ["bass"])).toHaveLength(1);
});

test("files are as large as all of them together, or nothing is said", () => {
  expect(filesSize(stemFiles(FILES, ["vocals", "kick?"]), ", ")).toBe(", 3.0 MB");
  expect(filesSize([file("a.mid", "analysis", null, 300)])).toBe("300 B");
  expect(filesSize([...FILES, file("old.csv", "analysis", null, null)], ", ")).toBe("");
  expect(filesSize([], ", ")).toBe("");
});
