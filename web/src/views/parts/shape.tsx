// A stem's body, as a small picture beside words. Of two stems of one body the second is hollow, the third half filled.

import { BODIES, type Body, bodyOf, type Fill, fillOf } from "../../bodies.ts";

export function Shape({ body, size = 20, fill = "full" }: { body: Body; size?: number; fill?: Fill }) {
  const { color, path } = BODIES[body];
  return (
    <svg class="shape" width={size} height={size} viewBox="-1 -1 26 26" aria-hidden="true" data-body={body}>
      {fill === "full" ? (
        <path d={path} fill={color} fill-rule="evenodd" />
      ) : (
        <>
          <path class="rim" d={path} fill="none" />
          <path class="ring" d={path} fill="none" style={{ "--body": color }} />
        </>
      )}
      {fill === "half" && (
        <svg x="12" y="-1" width="13" height="26" viewBox="12 -1 13 26" aria-hidden="true">
          <path class="bare" d={path} fill={color} fill-rule="evenodd" />
        </svg>
      )}
    </svg>
  );
}

/** Stems, by their names, in a row. */
export function Shapes({ stems, size = 20 }: { stems: readonly string[]; size?: number }) {
  return (
    <span class="row shapes">
      {stems.map((stem) => (
        <Shape key={stem} body={bodyOf(stem)} fill={fillOf(stem)} size={size} />
      ))}
    </span>
  );
}
