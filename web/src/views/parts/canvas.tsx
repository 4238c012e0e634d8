// A canvas that is sharp, knows its size in CSS pixels, and is drawn anew when that or the drawing changes.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Scope } from "../../scope.ts";

export type Draw = (canvas: CanvasRenderingContext2D, width: number, height: number) => void;

interface Props {
  draw: Draw;
  /** Whether it is drawn for each picture of the screen. */
  moving?: boolean;
}

type Attributes = Omit<JSX.IntrinsicElements["canvas"], "ref">;

export function Canvas({ draw, moving = false, ...attributes }: Props & Attributes) {
  const element = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  latest.current = draw;
  useEffect(() => {
    const canvas = element.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    const scope = new Scope();
    const paint = () => {
      const { width, height } = sharpen(canvas, context);
      if (width > 0 && height > 0) latest.current(context, width, height);
    };
    const observer = new ResizeObserver(paint);
    observer.observe(canvas);
    scope.add(() => observer.disconnect());
    if (moving) scope.frames(paint);
    return () => scope.close();
  }, [moving]);
  useEffect(() => {
    const canvas = element.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context || moving) return;
    const { width, height } = sharpen(canvas, context);
    if (width > 0 && height > 0) draw(context, width, height);
  }, [draw, moving]);
  return <canvas ref={element} {...attributes} />;
}

/** Make the canvas as many pixels as the screen has there, at most two for one of CSS, and clear it. */
function sharpen(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D): { width: number; height: number } {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = Math.min(2, Math.max(1, devicePixelRatio || 1));
  const pixels = [Math.round(width * scale), Math.round(height * scale)] as const;
  if (canvas.width !== pixels[0]) canvas.width = pixels[0];
  if (canvas.height !== pixels[1]) canvas.height = pixels[1];
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { width, height };
}
