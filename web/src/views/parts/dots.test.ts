import { describe, expect, it } from "vitest";
import { dotPaths } from "./dots.ts";

/** The outlines of dots, one by one, in their order. */
const dots = (path: string) => path.split("M").slice(1);

describe("a text in dots", () => {
  it("has each dot once, lit or not", () => {
    const { on, off, width, height } = dotPaths({ text: "1:07", pitch: 3, body: "drums" });
    expect([width, height]).toEqual([3 * (3 * 5 + 2 + 3), 21]);
    expect(new Set([...dots(on), ...dots(off)]).size).toBe((width / 3) * 7);
  });

  it("is the same whatever was written before, in whichever size and shape", () => {
    const before = dotPaths({ text: "0", pitch: 4, body: "vocals" });
    dotPaths({ text: "0:00.00", pitch: 4, body: "vocals" });
    const other = dotPaths({ text: "0", pitch: 4, body: "drums" });
    expect(dotPaths({ text: "0", pitch: 4, body: "vocals" })).toEqual(before);
    expect(dots(other.on).length).toBe(dots(before.on).length);
    expect(other.on).not.toBe(before.on);
    expect(dotPaths({ text: "0", pitch: 8, body: "vocals" }).on).not.toBe(before.on);
  });
});
