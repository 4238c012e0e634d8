// A readout in dots, with the same in words for those who hear it.

import { BODIES, type Body } from "../../bodies.ts";
import { dotPaths } from "./dots.ts";

interface Props {
  text: string;
  /** What a reader says; the text, if not given. */
  say?: string;
  pitch?: number;
  /** Whose shape the dots have: of the stem that is heard alone, which lends its colour, too. */
  body?: Body;
  /** Whether dots that are not lit are seen. */
  unlit?: boolean;
  round?: boolean;
}

export function Dots({ text, say, pitch = 3, body, unlit = true, round = false }: Props) {
  const { on, off, width, height } = dotPaths({ text, pitch, body: round ? "vocals" : (body ?? "drums") });
  return (
    <>
      <span class="sr">{say ?? text}</span>
      <svg class="dots" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {unlit && <path class="off" d={off} />}
        <path class="on" d={on} {...(body ? { style: { fill: BODIES[body].color } } : {})} />
      </svg>
    </>
  );
}
