// Several stems of one body as one: what they do together, so that a picture that follows "other" leaves none of them
// out.

import type { Body } from "../bodies.ts";
import { Events } from "./events.ts";
import { Foremost, Loudest } from "./levels.ts";
import type { Input } from "./signal.ts";

export type Makes = ReadonlyMap<string, () => Input>;

/** The signals of stems of one body: all that happens in any, the loudest of levels, and of the rest that stem's. */
export function together(body: Body, stems: readonly Makes[]): Map<string, () => Input> {
  const fields = new Set(stems.flatMap((makes) => [...makes.keys()]));
  return new Map([...fields].map((field) => [field, () => oneOf(body, field, stems)]));
}

function oneOf(body: Body, field: string, stems: readonly Makes[]): Input {
  const having = stems.filter((makes) => makes.has(field));
  const inputs = having.flatMap((makes) => makes.get(field)?.() ?? []);
  const lists = inputs.filter((input) => input instanceof Events);
  if (lists.length > 0) {
    const all = lists.flatMap(({ list }) => list).sort((one, other) => one.t - other.t);
    return new Events(
      body,
      all,
      lists.some(({ lasting }) => lasting),
    );
  }
  if (field === "rms") return new Loudest(body, inputs);
  return new Foremost(
    body,
    inputs,
    having.map((makes) => makes.get("rms")?.() ?? null),
  );
}
