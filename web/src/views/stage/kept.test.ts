import { expect, test } from "vitest";
import { asFile, bind, chosen, forget, fromFile, keep, own } from "./kept.ts";

test("a preset that is always there keeps its name, whatever is saved from it and opened again", () => {
  bind({ bend: null });
  const { name, text } = asFile();
  expect(name).toBe("House.json");
  expect(fromFile(text)).toBeNull();
  expect(fromFile(text)).toBeNull(); // twice is once
  expect(own.value.map(({ name }) => name)).toEqual(["My House"]);
  expect(chosen.value).toMatchObject({ name: "My House", scenes: { split: { bend: null } } });
  keep("Blackout");
  expect(own.value.map(({ name }) => name)).toEqual(["My House", "My Blackout"]);
  for (const each of ["My House", "My Blackout"]) forget(each);
  expect([own.value, chosen.value.name]).toEqual([[], "House"]);
});
