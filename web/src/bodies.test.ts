import { expect, test } from "vitest";
import listening from "../../functions/separate/analysis/listening.py?raw";
import { bodyOf, inLanes } from "./bodies.ts";

test("a stem of any name has a body", () => {
  expect(
    ["vocals", "Lead Vox", "Kick.mic", "Sub bass", "Rhodes", "accompaniment", "Gtr", "toString", ""].map(bodyOf),
  ).toEqual(["vocals", "vocals", "drums", "bass", "piano", "accompaniment", "other", "other", "other"]);
});

test("the service hears the same in a name", () => {
  const roles = listening.slice(listening.indexOf("_ROLES"), listening.indexOf("def role_of"));
  const rows = [...roles.matchAll(/\("(\w+)", \(([^)]*)\)\)/g)];
  expect(rows.map(([, role]) => role)).toEqual(["drums", "bass", "vocals", "piano"]);
  for (const [, role, words] of rows) {
    for (const [, word] of (words ?? "").matchAll(/"([^"]+)"/g)) expect(bodyOf(`My ${word} 2`)).toBe(role);
  }
});

test("lanes have an order, and stems of one body keep theirs", () => {
  expect(inLanes(["bass", "Gtr 1", "vocals", "Gtr 2", "drums"])).toEqual(["drums", "vocals", "Gtr 1", "Gtr 2", "bass"]);
});
