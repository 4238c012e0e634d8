// Choose your fighter: the three ways that music comes in, as one group of radio buttons with their stats.

import { useRef } from "preact/hooks";
import { StatLine } from "../parts/stat.tsx";
import { narrow } from "../settings.ts";
import { WAYS, type Way } from "./loadout.ts";
import { Portrait } from "./portraits.tsx";
import { type Facts, statsOf } from "./stats.ts";

export const FIGHTERS: Readonly<Record<Way, { name: string; alias: string; about: string }>> = {
  song: { name: "Single song", alias: "The One", about: "One file, taken apart for you." },
  stems: { name: "Audio stems", alias: "The Band", about: "Your own tracks, already apart." },
  midi: { name: "MIDI", alias: "The Score", about: "Notes as written. No guessing." },
};

interface Props {
  chosen: Way;
  facts: Facts;
  /** Whether a file hovers over the page: fighters look at it. */
  hovered: boolean;
  onChoose: (way: Way) => void;
  onOpen: () => void;
}

export function Fighters({ chosen, facts, hovered, onChoose, onOpen }: Props) {
  const group = useRef<HTMLDivElement>(null);
  const keyed = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.code];
    if (event.code === "Enter") onOpen();
    else if (event.code === "Space") onChoose(chosen);
    else if (step) {
      const next = WAYS[(WAYS.indexOf(chosen) + step + WAYS.length) % WAYS.length] as Way;
      onChoose(next);
      group.current?.querySelector<HTMLElement>(`[data-way=${next}]`)?.focus();
    } else return;
    event.preventDefault();
  };
  const label = "How the music comes in";
  const radio = (way: Way) => ({
    "data-way": way,
    role: "radio" as const,
    "aria-checked": way === chosen,
    tabIndex: way === chosen ? 0 : -1,
    onClick: () => onChoose(way),
  });
  const named = (way: Way) => ({ "aria-labelledby": `fighter-${way}`, "aria-describedby": `stats-${way}` });
  if (narrow.value)
    return (
      <>
        <div class="roster" role="radiogroup" aria-label={label} ref={group} onKeyDown={keyed}>
          {WAYS.map((way) => (
            <div key={way} {...radio(way)}>
              <Portrait way={way} />
              {FIGHTERS[way].name}
            </div>
          ))}
        </div>
        <article class="fighter">
          <Card way={chosen} chosen facts={facts} />
        </article>
      </>
    );
  return (
    <div
      class={hovered ? "fighters looking" : "fighters"}
      role="radiogroup"
      aria-label={label}
      ref={group}
      onKeyDown={keyed}
    >
      {WAYS.map((way) => (
        <div key={way} class="fighter" {...radio(way)} {...named(way)}>
          <Card way={way} chosen={way === chosen} facts={facts} />
        </div>
      ))}
    </div>
  );
}

function Card({ way, chosen, facts }: { way: Way; chosen: boolean; facts: Facts }) {
  const { name, alias, about } = FIGHTERS[way];
  return (
    <>
      <div class="portrait">
        {chosen && (
          <span class="player-one" aria-hidden="true">
            P1
          </span>
        )}
        <Portrait way={way} />
      </div>
      <div class="fighter-name">
        <div class="row">
          <h2 class="t3 grow" id={`fighter-${way}`}>
            {name}
          </h2>
          <span class="sm dim">{alias}</span>
          <span class={chosen ? "dot-mark on" : "dot-mark"} />
        </div>
        <p class="sm mute">{about}</p>
      </div>
      <dl class="stats" id={`stats-${way}`}>
        {statsOf(way, facts).map((stat) => (
          <StatLine key={stat.name} {...stat} />
        ))}
      </dl>
    </>
  );
}
