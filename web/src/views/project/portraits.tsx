// The three fighters, drawn: a monolith that parts, a band, and an invader whose pixels are notes. They alone have
// faces.

import { BODIES, type Body } from "../../bodies.ts";
import type { Way } from "./loadout.ts";

const INK = "#F4F3EF";
const DARK = "#0A0B0C";

interface EyesProps {
  x: number;
  y: number;
  height?: number;
  gap?: number;
  fill?: string;
}

function Eyes({ x, y, height = 16, gap = 14, fill = DARK }: EyesProps) {
  return (
    <g class="eyes" fill={fill}>
      <rect x={x - gap / 2 - 2.5} y={y} width="5" height={height} rx="1" />
      <rect x={x + gap / 2 - 2.5} y={y} width="5" height={height} rx="1" />
    </g>
  );
}

function Ground() {
  return (
    <g stroke="#2E3136" stroke-width="1.2" fill="none">
      <ellipse cx="160" cy="216" rx="128" ry="17" />
      <ellipse cx="160" cy="216" rx="92" ry="12" />
      <ellipse cx="160" cy="216" rx="54" ry="7" />
    </g>
  );
}

const SLABS: readonly (readonly [Body, number])[] = [
  ["drums", 30],
  ["vocals", 46],
  ["other", 22],
  ["bass", 38],
];
const WAVE = [10, 26, 16, 38, 22, 30, 12];

function One() {
  return (
    <>
      <Ground />
      <g class="idle">
        {SLABS.map(([body, out], row) => {
          const y = 34 + row * 45;
          const left = 118 - out * 0.55;
          const path = row
            ? `M160 ${y}H${left}V${y + 41}H160z`
            : `M160 ${y}H${left + 12}a12 12 0 0 0 -12 12V${y + 41}H160z`;
          return <path key={body} d={path} fill={BODIES[body].color} />;
        })}
        <path d="M165 34h39a16 16 0 0 1 16 16V214h-55z" fill={INK} />
        <Eyes x={193} y={74} height={24} gap={15} />
        {WAVE.map((height, place) => (
          <rect
            key={place}
            x={171 + place * 6.6}
            y={152 - height / 2}
            width="3.2"
            height={height}
            rx="1"
            fill="#151618"
          />
        ))}
        <rect x="158.5" y="14" width="4" height="206" fill="#fff" />
      </g>
    </>
  );
}

function Band() {
  return (
    <>
      <Ground />
      <g class="idle">
        <path d="M22 214a60 60 0 0 1 120 0z" fill={BODIES.bass.color} />
        <Eyes x={84} y={176} gap={16} />
      </g>
      <g class="idle late">
        <rect x="104" y="108" width="94" height="106" rx="8" fill={BODIES.drums.color} />
        <Eyes x={151} y={140} height={20} gap={20} />
        <circle cx="150" cy="68" r="41" fill={BODIES.vocals.color} />
        <Eyes x={150} y={52} height={17} gap={17} />
        <ellipse cx="150" cy="84" rx="8" ry="7" fill={DARK} />
      </g>
      <g class="idle">
        <path d="M238 92L300 214H176z" fill={BODIES.other.color} />
        <Eyes x={238} y={164} height={18} gap={15} />
      </g>
    </>
  );
}

/** Rows of the invader: the body they are of, how long a note may be, and which pixels are lit. */
const INVADER: readonly (readonly [Body, number, string])[] = [
  ["vocals", 4, "..#.....#.."],
  ["vocals", 4, "...#...#..."],
  ["vocals", 3, "..#######.."],
  ["other", 2, ".##.###.##."],
  ["other", 3, "###########"],
  ["piano", 3, "#.#######.#"],
  ["bass", 2, "#.#.....#.#"],
  ["bass", 2, "...##.##..."],
];
const UNIT = 19;

/** Runs of lit pixels, none longer than a note: the first pixel and how many. */
function runs(row: string, longest: number): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < row.length; at++) {
    if (row[at] !== "#") continue;
    let length = 1;
    while (row[at + length] === "#" && length < longest) length++;
    found.push([at, length]);
    at += length - 1;
  }
  return found;
}

function Score() {
  return (
    <>
      <g stroke="#1C1E22">
        {Array.from({ length: 15 }, (_, place) => (
          <path key={`v${place}`} d={`M${160 + (place - 7) * UNIT} 14V204`} />
        ))}
        {Array.from({ length: 11 }, (_, place) => (
          <path key={`h${place}`} d={`M${160 - 7 * UNIT} ${14 + place * UNIT}H${160 + 7 * UNIT}`} />
        ))}
      </g>
      <Ground />
      <g class="idle">
        {INVADER.map(([body, longest, row], line) =>
          runs(row, longest).map(([at, length]) => (
            <rect
              key={`${line}-${at}`}
              x={161 - 5.5 * UNIT + at * UNIT}
              y={54 + line * UNIT}
              width={length * UNIT - 3}
              height={UNIT - 4}
              rx={line < 3 ? 7.5 : 2}
              fill={BODIES[body].color}
            />
          )),
        )}
        <g class="eyes" fill={INK}>
          <rect x="116" y="111" width="5" height="15" />
          <rect x="199" y="111" width="5" height="15" />
        </g>
      </g>
    </>
  );
}

export function Portrait({ way }: { way: Way }) {
  return (
    <svg class="art" viewBox="0 0 320 240" preserveAspectRatio="xMidYMid meet" aria-hidden="true">
      {way === "song" && <One />}
      {way === "stems" && <Band />}
      {way === "midi" && <Score />}
    </svg>
  );
}
