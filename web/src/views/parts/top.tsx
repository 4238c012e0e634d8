// The bar at the top: the wordmark, the rooms, whether news is live, theme, and who is signed in.

import { fragmentOf, type Route } from "../route.ts";
import { live, liveWords, signIn, signOut, state, user } from "../session.ts";
import { narrow, set, settings, theme } from "../settings.ts";
import { Allowances } from "./allowances.tsx";
import { Switch } from "./controls.tsx";
import { Icon } from "./icon.tsx";
import { Menu } from "./menu.tsx";

export function Mark() {
  return (
    <a class="mark" href={state.value === "in" ? "#/library" : "#/"} aria-label="Stempipe Studio">
      stem
      <i />
      pipe
    </a>
  );
}

const ROOMS = [
  ["library", "Library"],
  ["new", "New project"],
  ["scenes", "Scenes"],
] as const;

export function Top({ route, onHelp }: { route: Route; onHelp: () => void }) {
  const inside = state.value === "in";
  const rooms = ROOMS.filter(([view]) => inside || view === "scenes");
  return (
    <header class="top">
      <Mark />
      <nav class="tabs wide" aria-label="Main">
        {rooms.map(([view, name]) => (
          <a
            key={view}
            href={fragmentOf({ view })}
            {...(route.view === view ? { "aria-current": "page" as const } : {})}
          >
            {name}
          </a>
        ))}
      </nav>
      <span class="grow" />
      {inside && <LiveMark />}
      {inside && route.view === "library" ? (
        <a class="key pri sml narrow" href="#/new">
          <Icon name="plus" />
          New
        </a>
      ) : null}
      <button
        type="button"
        class={route.view === "library" ? "key sml sq ghost wide" : "key sml sq ghost"}
        aria-label={theme.value === "dark" ? "Light theme" : "Dark theme"}
        onClick={() => set({ theme: theme.value === "dark" ? "light" : "dark" })}
      >
        <Icon name="sun" />
      </button>
      <Account onHelp={onHelp} compact={route.view === "library"} />
    </header>
  );
}

function LiveMark() {
  const on = live.value === "live";
  return (
    <span class="row sm mute wide" role="status">
      <i class={on ? "live" : "live off"} />
      <span class={on ? "live-words on" : "live-words"}>{liveWords.value}</span>
    </span>
  );
}

/** Who is signed in, and the few settings there are. */
export function Account({ onHelp, compact = false }: { onHelp: () => void; compact?: boolean }) {
  const name = user.value?.name ?? "Settings";
  // Beside another key, a phone has no room for a name.
  const small = compact && narrow.value;
  return (
    <>
      {state.value === "out" && (
        <button type="button" class="key sml" onClick={() => void signIn()}>
          Sign in
        </button>
      )}
      <Menu
        title="Settings"
        keyClass={small ? "key sml sq" : "key sml account"}
        {...(small ? { label: name } : {})}
        panel={(close) => (
          <>
            <nav class="col narrow" aria-label="Rooms">
              {ROOMS.filter(([view]) => user.value || view === "scenes").map(([view, title]) => (
                <a key={view} href={fragmentOf({ view })} onClick={() => close()}>
                  {title}
                </a>
              ))}
            </nav>
            <Switch
              name="Single keys"
              about="Space plays, 1 mutes …"
              on={settings.value.keys}
              onChange={(keys) => set({ keys })}
            />
            <Switch
              name="Flash limiter"
              about="At most 3 a second"
              on={settings.value.limiter}
              onChange={(limiter) => set({ limiter })}
            />
            <Switch
              name="Less motion"
              about="Or as your system says"
              on={settings.value.motion === "still"}
              onChange={(on) => set({ motion: on ? "still" : "system" })}
            />
            {user.value && <Allowances />}
            <button
              type="button"
              class="key sml"
              onClick={() => {
                close();
                onHelp();
              }}
            >
              All keys
            </button>
            {user.value && (
              <button type="button" class="key sml" onClick={() => void signOut()}>
                Sign out
              </button>
            )}
          </>
        )}
      >
        {small ? <Icon name="more" /> : <span class="ell">{name}</span>}
      </Menu>
    </>
  );
}
