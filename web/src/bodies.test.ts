import { expect, test } from "vitest";
import roles from "../../functions/separate/analysis/roles.py?raw";
import { bodyOf, fillOf, inLanes, NAMES } from "./bodies.ts";

test("a stem of any name has a body", () => {
  expect(
    ["vocals", "Lead Vox", "Kick.mic", "Sub bass", "Rhodes", "accompaniment", "Gtr", "toString", ""].map(bodyOf),
  ).toEqual(["vocals", "vocals", "drums", "bass", "piano", "accompaniment", "other", "other", "other"]);
});

test("the service hears the same in a name", () => {
  const rows = [...roles.matchAll(/re\.compile\(r"(.*)"\), "(\w+)"\)/g)];
  expect(rows.map(([, , role]) => role)).toEqual(["accompaniment", "drums", "bass", "vocals", "piano"]);
  expect(NAMES.map(([name, body]) => [name.source, body])).toEqual(rows.map(([, name, role]) => [name, role]));
  expect(["Rising Pad", "Bassoon", "Hi_Hat", "no vocals"].map(bodyOf)).toEqual([
    "other",
    "other",
    "drums",
    "accompaniment",
  ]);
});

test("lanes have an order, and stems of one body keep theirs", () => {
  expect(inLanes(["bass", "Gtr 1", "vocals", "Gtr 2", "drums"])).toEqual(["drums", "vocals", "Gtr 1", "Gtr 2", "bass"]);
});

test("stems of one body are drawn apart", () => {
  expect(["other", "other 2", "Gtr 3", "other 4", "808"].map(fillOf)).toEqual([
    "full",
    "hollow",
    "half",
    "full",
    "full",
  ]);
});
