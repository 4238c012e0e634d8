// The library: every job, live, in rows that stand still while what they say changes.

import { useState } from "preact/hooks";
import { askPermission, permission } from "../../api/notices.ts";
import { titleOf } from "../job.ts";
import { Icon } from "../parts/icon.tsx";
import { Shapes } from "../parts/shape.tsx";
import { desk, jobs, live, liveWords, uploads } from "../session.ts";
import { set, settings } from "../settings.ts";
import { type Going, going, undo } from "./deleting.ts";
import { JobRow } from "./jobrow.tsx";
import { type Group, type Row, rowsOf } from "./row.ts";
import "./library.css";

type Filter = "all" | Group;

const FILTERS: readonly (readonly [Filter, string])[] = [
  ["all", "All"],
  ["open", "In the pipe"],
  ["done", "Done"],
  ["failed", "Failed"],
];

export function Library() {
  const [filter, choose] = useState<Filter>("all");
  const rows = rowsOf(jobs.value, uploads.value);
  const counts = (of: Filter) => rows.filter(({ group }) => of === "all" || group === of).length;
  const shown = rows.filter(({ group }) => filter === "all" || group === filter);
  return (
    <main class="library" id="main">
      <div>
        <div class="library-head">
          <h1 class="t2" tabIndex={-1}>
            Library
          </h1>
          <fieldset class="row filters wide" aria-label="Show">
            {FILTERS.map(([value, name]) => (
              <button
                key={value}
                type="button"
                class={filter === value ? "key sml" : "key sml ghost"}
                aria-pressed={filter === value}
                onClick={() => choose(value)}
              >
                {name} {counts(value)}
              </button>
            ))}
          </fieldset>
          <span class="sm dim narrow" role="status">
            {live.value === "live" ? `${counts("open")} in the pipe` : liveWords.value}
          </span>
        </div>
        {rows.length === 0 ? <Empty /> : <List rows={shown} />}
        <Announced rows={rows} />
        <More />
      </div>
      <aside class="side" aria-label="New">
        <div class="offer dashed">
          <Shapes stems={["drums", "vocals", "other", "bass"]} size={22} />
          <h2 class="t3">Drop music anywhere</h2>
          <p class="sm mute">A song, your own stems or a .mid. Several at once is fine.</p>
          <a class="key pri" href="#/new">
            <Icon name="plus" />
            New project
          </a>
        </div>
        <Notices />
      </aside>
    </main>
  );
}

function List({ rows }: { rows: readonly Row[] }) {
  return (
    <ul class="jobs">
      {rows.map((row) => {
        const leaving = going.value.get(row.id);
        return leaving ? <Undo key={row.id} going={leaving} /> : <JobRow key={row.id} row={row} />;
      })}
    </ul>
  );
}

function Undo({ going: { job, left } }: { going: Going }) {
  return (
    <li class="undo">
      <span class="grow">
        Deleted “{titleOf(job)}”. <span aria-hidden="true">Its files go in {left} s.</span>
      </span>
      <button type="button" class="key sml" onClick={() => undo(job.id)}>
        Undo
      </button>
    </li>
  );
}

function Empty() {
  if (live.value === "connecting") return <p class="mute">Looking for your songs</p>;
  return (
    <div class="offer">
      <h2 class="t3">Nothing in the pipe.</h2>
      <p class="mute">Drop a song anywhere, or play with Night Bus first.</p>
      <div class="row">
        <a class="key pri" href="#/new">
          New project
        </a>
        <a class="key" href="#/song/night-bus/stage">
          Play Night Bus
        </a>
      </div>
    </div>
  );
}

/** Stages and ends, for those who hear the page; percents never. */
function Announced({ rows }: { rows: readonly Row[] }) {
  const open = rows.filter(({ group }) => group === "open");
  return (
    <p class="sr" role="status">
      {open.map(({ title, state }) => `${title}: ${state}.`).join(" ")}
    </p>
  );
}

/** Whether the browser may tell when a song is done: asked for once, and never at the start. */
function Notices() {
  if (settings.value.notify !== null || permission() !== "ask") return null;
  return (
    <section class="offer quiet">
      <div class="row">
        <Icon name="bell" />
        <h2 class="t4">Tell you when a song is done?</h2>
      </div>
      <p class="sm mute">Only while you look elsewhere. Your browser will ask once.</p>
      <div class="row">
        <button
          type="button"
          class="key sml"
          onClick={() => void askPermission().then((now) => set({ notify: now === "granted" }))}
        >
          Tell me
        </button>
        <button type="button" class="key sml ghost" onClick={() => set({ notify: false })}>
          No, thanks
        </button>
      </div>
    </section>
  );
}

/** Older jobs: the list that is live has the newest hundred. */
function More() {
  const [cursor, go] = useState<string | null | undefined>(undefined);
  if (jobs.value.length < 100 || cursor === null) return null;
  const load = async () => {
    const at = desk.peek();
    if (!at) return;
    const from = cursor ?? (await at.client.jobs()).cursor;
    if (from === null) return go(null);
    const page = await at.client.jobs(from);
    for (const job of page.jobs) at.live.jobs.merge(job);
    go(page.cursor);
  };
  return (
    <button type="button" class="key more" onClick={() => void load()}>
      Older ones
    </button>
  );
}
