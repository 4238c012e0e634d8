// The welcome page: a stage that plays at once, silently, and with sound after one click. Its scene and its song come
// after the words, so that the words are there first.

import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../parts/icon.tsx";
import { later } from "../parts/later.tsx";
import { Account, Mark } from "../parts/top.tsx";
import { config, signIn, state } from "../session.ts";
import type { Console } from "../song/console.ts";
import { handOver } from "../song/handover.ts";
import { counted, limit } from "../words.ts";
import "./welcome.css";

const Backdrop = later(async () => (await import("./backdrop.tsx")).Backdrop, "");
const Deck = later(async () => (await import("./backdrop.tsx")).Deck, "");

export function Welcome({ onHelp }: { onHelp: () => void }) {
  const { console, give } = useBuiltIn();
  const limits = config.value?.limits;
  const inside = state.value === "in";
  return (
    <div class="screen welcome">
      <header class="top">
        <Mark />
        <span class="grow" />
        <nav class="tabs wide" aria-label="Main">
          {inside && <a href="#/library">Library</a>}
          <a href="#/scenes">Scenes</a>
          <button type="button" onClick={onHelp}>
            Help
          </button>
        </nav>
        <Account onHelp={onHelp} />
      </header>
      <main id="main">
        {console && <Backdrop console={console} />}
        <div class="hero">
          <h1 class="t1" tabIndex={-1}>
            One song in.
            <br />
            Every part out.
          </h1>
          <p class="lead">
            Drop a song, hear it come apart, watch it play as light.{" "}
            <span class="wide">Leave with stems, MIDI, data and a video.</span>
          </p>
        </div>
        <div class="calls">
          <div class="row">
            <button
              type="button"
              class="key pri big"
              aria-disabled={!console}
              onClick={() => {
                if (!console) return;
                console.seek(console.now());
                void console.play().then(() => {
                  give();
                  location.hash = "#/song/night-bus/stage";
                });
              }}
            >
              <Icon name="play" />
              Play it with sound
            </button>
            {inside ? (
              <a class="key big" href="#/new">
                Drop your own
              </a>
            ) : (
              state.value !== "closed" && (
                <button type="button" class="key big" onClick={() => void signIn("#/new")}>
                  Sign in and drop your own
                </button>
              )
            )}
          </div>
          <ul class="facts sm mute wide">
            <li>
              <b>Nothing to prepare</b>
              No MIDI, no markers, no plug-in.
            </li>
            {limits && (
              <li>
                <b>
                  {counted(Math.floor(limits.seconds / 60), "minute")}, {limit(limits.bytes)}
                </b>
                WAV, FLAC, MP3, M4A, OGG.
              </li>
            )}
            <li>
              <b>Your own cloud</b>
              Your songs are yours alone.
            </li>
          </ul>
        </div>
      </main>
      {console && <Deck console={console} />}
    </div>
  );
}

/** The built-in song, opened as soon as the words are there, and playing without sound; `give` has its own view go on. */
function useBuiltIn(): { console: Console | null; give: () => void } {
  const [console, show] = useState<Console | null>(null);
  const ours = useRef<Console | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    void (async () => {
      const { openShowcase } = await import("./backdrop.tsx");
      const made = await openShowcase(abort.signal);
      if (abort.signal.aborted) return made.close();
      ours.current = made;
      show(made);
    })().catch(() => undefined); // the words stand without it
    return () => {
      abort.abort();
      ours.current?.close();
    };
  }, []);
  const give = () => {
    if (ours.current) handOver(ours.current);
    ours.current = null;
  };
  return { console, give };
}
