// A song that is open: its mixer, its stage, and what can be taken away. Going between them stops nothing.

import { useEffect, useState } from "preact/hooks";
import { Scope } from "../../scope.ts";
import { SignIn } from "../app.tsx";
import { Icon } from "../parts/icon.tsx";
import { later } from "../parts/later.tsx";
import { Account, Mark, Top } from "../parts/top.tsx";
import { BUILT_IN, fragmentOf, type SongView } from "../route.ts";
import { desk, state } from "../session.ts";
import { set, theme } from "../settings.ts";
import { dismissSong } from "../toasts.ts";
import { clock } from "../words.ts";
import { Console } from "./console.ts";
import { handedOver } from "./handover.ts";
import { openSong } from "./open.ts";

const Mixer = later(async () => (await import("../mixer/view.tsx")).Mixer);
const Stage = later(async () => (await import("../stage/view.tsx")).Stage);
const Take = later(async () => (await import("../take/view.tsx")).Take);

interface Props {
  id: string;
  view: SongView;
  onHelp: () => void;
}

export function SongRoom({ id, view, onHelp }: Props) {
  const { console, error, again } = useConsole(id);
  // Whoever has opened it need not be told that it is done.
  useEffect(() => dismissSong(id), [id]);
  const route = { view, song: id } as const;
  if (id !== BUILT_IN && state.value !== "in")
    return (
      <>
        <Top route={route} onHelp={onHelp} />
        <SignIn />
      </>
    );
  if (error !== null)
    return (
      <>
        <Top route={route} onHelp={onHelp} />
        <main class="lone" id="main">
          <h1 class="t2" tabIndex={-1}>
            This song does not open.
          </h1>
          <p class="mute">{error}</p>
          <button type="button" class="key pri" onClick={again}>
            Try again
          </button>
        </main>
      </>
    );
  if (!console)
    return (
      <>
        <Top route={route} onHelp={onHelp} />
        <main class="lone" aria-busy="true" id="main">
          <p class="mute">Opening the song</p>
        </main>
      </>
    );
  if (view === "mix") return <Mixer console={console} onHelp={onHelp} />;
  // Taking away lies over the stage, which goes on behind it.
  return (
    <>
      <Stage console={console} covered={view === "take"} />
      {view === "take" && <Take console={console} />}
    </>
  );
}

/** A song, opened once for all of its views, and closed with them. */
function useConsole(id: string) {
  const [found, show] = useState<{ console: Console | null; error: string | null }>({ console: null, error: null });
  const [turn, next] = useState(0);
  const client = desk.value?.client ?? null;
  const waits = id !== BUILT_IN && client === null;
  useEffect(() => {
    if (waits) return;
    const scope = new Scope();
    const going = handedOver(id);
    if (going) {
      scope.add(() => going.close());
      show({ console: going, error: null });
      return () => scope.close();
    }
    show({ console: null, error: null });
    openSong(id, client, scope.signal).then(
      (opened) => {
        if (scope.signal.aborted) return;
        const console = new Console(opened);
        scope.add(() => console.close());
        show({ console, error: null });
      },
      (error: unknown) => {
        if (!scope.signal.aborted)
          show({ console: null, error: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => scope.close();
  }, [id, waits, client, turn]);
  return { ...found, again: () => next(turn + 1) };
}

/** "3:23, 104 BPM, A minor". */
export function factsOf({ opened: { song } }: Console): string {
  const { tempo, key } = song.analysis ?? {};
  return [
    clock(song.duration),
    ...(tempo ? [`${Math.round(tempo.bpm)} BPM`] : []),
    ...(key ? [`${key.tonic} ${key.mode}`] : []),
  ].join(", ");
}

const TABS: readonly (readonly [SongView, string])[] = [
  ["mix", "Mix"],
  ["stage", "Stage"],
  ["take", "Take away"],
];

export function SongTabs({ id, view }: { id: string; view: SongView }) {
  return (
    <nav class="tabs" aria-label="Song">
      {TABS.map(([to, name]) => (
        <a
          key={to}
          href={fragmentOf({ view: to, song: id })}
          class={to === "take" ? "wide" : ""}
          {...(to === view ? { "aria-current": "page" as const } : {})}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}

/** The top bar of a song's mixer. */
export function SongTop({ id, onHelp }: { id: string; onHelp: () => void }) {
  const inside = state.value === "in";
  return (
    <header class="top">
      <Mark />
      {inside && (
        <nav class="tabs wide" aria-label="Main">
          <a href="#/library">Library</a>
          <a href="#/new">New project</a>
        </nav>
      )}
      <span class="grow" />
      <button
        type="button"
        class="key sml sq ghost wide"
        aria-label={theme.value === "dark" ? "Light theme" : "Dark theme"}
        onClick={() => set({ theme: theme.value === "dark" ? "light" : "dark" })}
      >
        <Icon name="sun" />
      </button>
      <a class="key sml narrow" href={fragmentOf({ view: "take", song: id })}>
        <Icon name="down" />
        Take away
      </a>
      <span class="row wide">
        <Account onHelp={onHelp} />
      </span>
    </header>
  );
}
