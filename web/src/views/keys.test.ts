import { expect, test } from "vitest";
import { nameOf, type Press } from "./keys.ts";

const press = (code: string, more: Partial<Press> = {}): Press => ({
  code,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  defaultPrevented: false,
  ...more,
});
const on = (tag: string, type = "", role = "") => ({ tag, type, role, editable: false });

test("a key has a name by its place", () => {
  expect(nameOf(press("KeyQ"), on("BODY"))).toBe("KeyQ");
  expect(nameOf(press("Digit1", { shiftKey: true }), on("BODY"))).toBe("Shift+Digit1");
});

test("the browser's own keys are left to it", () => {
  for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }, { defaultPrevented: true }])
    expect(nameOf(press("KeyF", more), on("BODY"))).toBeNull();
});

test("where text is typed no key does anything", () => {
  for (const focus of [on("INPUT", "text"), on("INPUT", "number"), on("TEXTAREA"), on("SELECT")])
    expect(nameOf(press("Space"), focus)).toBeNull();
  expect(nameOf(press("KeyM"), { ...on("DIV"), editable: true })).toBeNull();
});

test("a control keeps the keys that it needs, and no others", () => {
  expect(nameOf(press("Space"), on("BUTTON"))).toBeNull();
  expect(nameOf(press("ArrowLeft"), on("BUTTON"))).toBe("ArrowLeft");
  expect(nameOf(press("ArrowLeft"), on("INPUT", "range"))).toBeNull();
  expect(nameOf(press("KeyM"), on("INPUT", "range"))).toBe("KeyM");
  expect(nameOf(press("Space"), on("CANVAS", "", "slider"))).toBe("Space");
});
