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
const on = (tag: string, type = "", role = "") => ({ tag, type, role, editable: false, shown: true });
const clicked = (...focus: Parameters<typeof on>) => ({ ...on(...focus), shown: false });

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

test("a control that was clicked leaves Space to the song, and what is typed in does not", () => {
  const space = press("Space");
  for (const focus of [clicked("BUTTON"), clicked("INPUT", "checkbox"), clicked("BUTTON", "button", "radio")])
    expect(nameOf(space, focus)).toBe("Space");
  for (const focus of [on("INPUT", "checkbox"), on("BUTTON", "button", "radio"), on("DIV", "", "option")])
    expect(nameOf(space, focus)).toBeNull();
  for (const focus of [clicked("INPUT", "number"), clicked("TEXTAREA"), clicked("SELECT")])
    expect(nameOf(space, focus)).toBeNull();
});

test("what has no use for Space leaves it to the song", () => {
  expect(nameOf(press("Space"), on("INPUT", "range"))).toBe("Space");
  expect(nameOf(press("Space"), on("A"))).toBe("Space");
  expect(nameOf(press("Enter"), on("A"))).toBeNull();
});
