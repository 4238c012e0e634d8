// The page: which view is shown, and what lies over all of them.

import { useEffect, useRef, useState } from "preact/hooks";
import { isCovered } from "./parts/dialog.tsx";
import { Help } from "./parts/help.tsx";
import { later } from "./parts/later.tsx";
import { Toasts } from "./parts/toasts.tsx";
import { Top } from "./parts/top.tsx";
import { DropLayer } from "./project/drop.tsx";
import { isOverlay, type Route, routeOf } from "./route.ts";
import { lost, signIn, state } from "./session.ts";
import { useKeys } from "./usekeys.ts";
import { Welcome } from "./welcome/view.tsx";

const Library = later(async () => (await import("./library/view.tsx")).Library);
const Project = later(async () => (await import("./project/view.tsx")).Project);
const Scenes = later(async () => (await import("./scenes/view.tsx")).Scenes);
const SongRoom = later(async () => (await import("./song/view.tsx")).SongRoom);

const TITLES: Readonly<Record<Route["view"], string>> = {
  welcome: "Stempipe Studio",
  library: "Library",
  new: "New project",
  scenes: "Scenes",
  mix: "Mixer",
  stage: "Stage",
  take: "Take away",
  lost: "Nothing here",
};

export function App() {
  const route = useRoute();
  const [help, showHelp] = useState(false);
  useKeys({ "Shift+Slash": () => showHelp(true), Slash: () => showHelp(true) });
  useEffect(() => {
    document.title = route.view === "welcome" ? TITLES.welcome : `${TITLES[route.view]} · Stempipe Studio`;
  }, [route.view]);
  const open = () => showHelp(true);
  const overlay = isOverlay(location);
  return (
    <>
      {!overlay && (
        <button type="button" class="key skip" onClick={toMain}>
          Skip to the content
        </button>
      )}
      <Shown route={route} onHelp={open} />
      {!overlay && <DropLayer />}
      {!overlay && !isCovered.value && <Toasts />}
      {help && <Help onClose={() => showHelp(false)} />}
    </>
  );
}

function Shown({ route, onHelp }: { route: Route; onHelp: () => void }) {
  if (route.view === "welcome") return <Welcome onHelp={onHelp} />;
  if ("song" in route) return <SongRoom key={route.song} id={route.song} view={route.view} onHelp={onHelp} />;
  return (
    <>
      <Top route={route} onHelp={onHelp} />
      {route.view === "scenes" && <Scenes />}
      {route.view === "lost" && <Lost />}
      {(route.view === "library" || route.view === "new") && <Inside view={route.view} />}
    </>
  );
}

/** What is for those who are signed in alone. */
function Inside({ view }: { view: "library" | "new" }) {
  if (state.value === "in") return view === "library" ? <Library /> : <Project />;
  return <SignIn />;
}

export function SignIn() {
  if (state.value === "starting")
    return (
      <main class="lone" aria-busy="true" id="main">
        <p class="mute">Looking who is there</p>
      </main>
    );
  const closed = state.value === "closed";
  return (
    <main class="lone" id="main">
      <h1 class="t2" tabIndex={-1}>
        {lost.value ? "You were signed out." : closed ? "Nobody can sign in here." : "Sign in first."}
      </h1>
      <p class="mute">
        {lost.value
          ? "Sign in and this page is as you left it."
          : closed
            ? "This page has no service behind it. The built-in song plays all the same."
            : "Your songs are yours alone."}
      </p>
      {closed ? (
        <a class="key pri" href="#/">
          Play the built-in song
        </a>
      ) : (
        <button type="button" class="key pri" onClick={() => void signIn()}>
          Sign in
        </button>
      )}
    </main>
  );
}

function Lost() {
  return (
    <main class="lone" id="main">
      <h1 class="t2" tabIndex={-1}>
        There is nothing here.
      </h1>
      <p class="mute">The address leads nowhere.</p>
      <a class="key pri" href="#/">
        To the beginning
      </a>
    </main>
  );
}

/** The place that the address names; the new view's heading gets the focus. */
function useRoute(): Route {
  const [route, go] = useState(() => routeOf(location.hash));
  const before = useRef<Route | null>(null);
  useEffect(() => {
    const moved = () => go(routeOf(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useEffect(() => {
    const from = before.current;
    before.current = route;
    // A dialog over the stage takes the focus by itself, and gives it back.
    if (from === null || [from.view, route.view].includes("take")) return;
    document.querySelector<HTMLElement>("main h1[tabindex], h1[tabindex]")?.focus();
  }, [route]);
  return route;
}

function toMain(): void {
  const main = document.getElementById("main") ?? document.querySelector("main");
  main?.setAttribute("tabindex", "-1");
  main?.focus();
}
