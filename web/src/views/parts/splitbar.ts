// Where the stripes of a split bar run: apart on the left, into one at the pipe.

/** The pipe's place, and each stripe's outline as an SVG path, from the top. */
export interface Stripes {
  readonly x: number;
  readonly lines: readonly string[];
}

export function stripes(bar: { width: number; height: number; share: number; count: number }): Stripes {
  const { width, height, count } = bar;
  const x = Math.max(3, Math.min(width - 3, width * bar.share));
  const gap = (height - 4) / count;
  const thick = Math.min(5, gap - 2);
  const thin = 8 / count;
  const end = x - 4;
  const bend = Math.min(46, x * 0.5);
  const lines = Array.from({ length: count }, (_, place) => {
    const from = place - (count - 1) / 2;
    const apart = height / 2 + from * gap;
    const together = height / 2 + from * thin;
    const [a, b] = [end - bend * 0.45, end - bend * 0.55];
    return (
      `M2 ${apart - thick / 2}H${end - bend}C${a} ${apart - thick / 2} ${b} ${together - thin / 2} ${end} ${together - thin / 2}` +
      `V${together + thin / 2}C${b} ${together + thin / 2} ${a} ${apart + thick / 2} ${end - bend} ${apart + thick / 2}H2z`
    );
  });
  return { x, lines };
}
