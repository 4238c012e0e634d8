// The picture of a scene, as large as its element, at the time that is played.

import { useEffect, useRef } from "preact/hooks";
import type { Show } from "../../scenes/show.ts";
import { Scope } from "../../scope.ts";
import { still } from "../settings.ts";

interface Props {
  show: Show;
  /** The time to draw, in seconds. */
  time: () => number;
  label?: string;
  class?: string;
  /** Pictures a second; 0 draws one, and another where the size or the scene changes. */
  rate?: number;
  /** Share of the height that is covered at the bottom. */
  inset?: number;
  transparent?: boolean;
}

export function Picture({ show, time, label, rate = 60, inset = 0, transparent = false, ...rest }: Props) {
  const element = useRef<HTMLCanvasElement>(null);
  const latest = useRef({ time, inset });
  latest.current = { time, inset };
  useEffect(() => {
    const canvas = element.current;
    const g = canvas?.getContext("2d");
    if (!canvas || !g) return;
    const scope = new Scope();
    let due = 0;
    let drawn = "";
    const draw = () => {
      const { width, height } = canvas.getBoundingClientRect();
      if (width < 1 || height < 1) return;
      const scale = Math.min(2, Math.max(1, devicePixelRatio || 1));
      const { time, inset } = latest.current;
      const now = time();
      const state = `${now} ${width} ${height} ${scale} ${inset} ${still.peek()}`;
      if (state === drawn) return;
      drawn = state;
      const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
      if (canvas.width !== w) canvas.width = w;
      if (canvas.height !== h) canvas.height = h;
      g.setTransform(scale, 0, 0, scale, 0, 0);
      show.draw(g, now, { width, height, inset, transparent, still: still.peek() });
    };
    if (rate > 0)
      scope.frames((now) => {
        if (now < due) return;
        due = rate >= 60 ? 0 : now + 1000 / rate - 4;
        draw();
      });
    else {
      const observer = new ResizeObserver(draw);
      observer.observe(canvas);
      scope.add(() => observer.disconnect());
      draw();
    }
    return () => scope.close();
  }, [show, rate, transparent]);
  return (
    <canvas
      ref={element}
      class={rest.class ?? ""}
      {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}
    />
  );
}
