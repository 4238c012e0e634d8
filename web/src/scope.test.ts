import { expect, test } from "vitest";
import { Scope } from "./scope.ts";

test("closing releases everything once, the newest first", () => {
  const released: string[] = [];
  const scope = new Scope();
  scope.add(() => released.push("first"));
  const child = scope.child();
  child.add(() => released.push("child"));
  scope.close();
  scope.close();
  expect(released).toEqual(["child", "first"]);
  expect(child.signal.aborted).toBe(true);
});

test("what comes too late is released at once", () => {
  const scope = new Scope();
  scope.close();
  let released = false;
  scope.add(() => {
    released = true;
  });
  expect(released).toBe(true);
});
