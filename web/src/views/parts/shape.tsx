// A stem's body, as a small picture beside words. Of two stems of one body the second is hollow, the third half filled.

import { BODIES, type Body } from "../../bodies.ts";

export type Fill = "full" | "hollow" | "half";

export function Shape({ body, size = 20, fill = "full" }: { body: Body; size?: number; fill?: Fill }) {
  const { color, path } = BODIES[body];
  const outline = fill === "full" ? {} : { stroke: color, "stroke-width": 2 };
  return (
    <svg class="shape" width={size} height={size} viewBox="-1 -1 26 26" aria-hidden="true" data-body={body}>
      <path d={path} fill={fill === "hollow" ? "none" : color} fill-rule="evenodd" {...outline} />
      {fill === "half" && <path d="M-1 -1H12V25H-1z" fill="var(--screen)" opacity="0.7" />}
    </svg>
  );
}

/** Several bodies in a row. */
export function Shapes({ bodies, size = 20 }: { bodies: readonly Body[]; size?: number }) {
  return (
    <span class="row shapes">
      {bodies.map((body, place) => (
        <Shape key={place} body={body} size={size} />
      ))}
    </span>
  );
}
