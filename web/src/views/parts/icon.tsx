// Signs of one stroke, drawn in a square of 24.

const STROKES = {
  loop: "M4 11V9a3 3 0 0 1 3-3h12m-3-3 3 3-3 3M20 13v2a3 3 0 0 1-3 3H5m3 3-3-3 3-3",
  x: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5l5 5L19 7",
  down: "M12 4v11m-5-4 5 5 5-5M5 20h14",
  caret: "M7 10l5 5 5-5",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  plus: "M12 5v14M5 12h14",
  bell: "M6 16V11a6 6 0 1 1 12 0v5l2 2H4zM10 21h4",
  sun: "M12 8a4 4 0 1 0 .01 0M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 9.5h4M4 14.5h4M16 9.5h4M16 14.5h4",
  drop: "M12 16V5m-5 4 5-5 5 5M4 15v5h16v-5",
  zoom: "M11 4a7 7 0 1 0 .01 0M16 16l5 5M8 11h6M11 8v6",
} as const;

const DOTTED = {
  more: "M5 12h.01M12 12h.01M19 12h.01",
  grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
} as const;

const FILLED = {
  play: "M7 4.5v15L20 12z",
  pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  start: "M5 5h3v14H5zM20 5v14L9 12z",
} as const;

export type IconName = keyof typeof STROKES | keyof typeof DOTTED | keyof typeof FILLED;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  const filled = name in FILLED;
  const path = { ...STROKES, ...DOTTED, ...FILLED }[name];
  return (
    <svg class={filled ? "ic f" : "ic"} viewBox="0 0 24 24" aria-hidden="true" style={{ width: size, height: size }}>
      <path d={path} {...(name in DOTTED ? { "stroke-width": 3.2 } : {})} />
    </svg>
  );
}
