// A job's row: badge, title, bar and words, percent in dots, and what can be done.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Job } from "../../api/client.ts";
import { bodyOf, fillOf } from "../../bodies.ts";
import { refusalWords } from "../failures.ts";
import { Dots } from "../parts/dots.tsx";
import { Icon } from "../parts/icon.tsx";
import { Menu } from "../parts/menu.tsx";
import { Shape } from "../parts/shape.tsx";
import { SplitBar } from "../parts/splitbar.tsx";
import { desk } from "../session.ts";
import { type Digest, digest } from "../song/digest.ts";
import { toast } from "../toasts.ts";
import { ago, clock, counted } from "../words.ts";
import { remove } from "./deleting.ts";
import { Ears } from "./ears.tsx";
import { Outline } from "./outline.tsx";
import { replace } from "./replace.ts";
import type { Badge, Row } from "./row.ts";

export function JobRow({ row }: { row: Row }) {
  const element = useRef<HTMLLIElement>(null);
  const found = useDigest(row, element);
  const { failure, group, job } = row;
  return (
    <li ref={element} class={failure ? "job fail" : "job"}>
      <BadgeBox badge={row.badge} />
      <div class="job-name">
        <h2 class="t4 ell" title={row.title}>
          {row.title}
        </h2>
        <p class="sm dim ell num">{found?.analysis && group === "done" ? aboutDone(row, found) : row.about}</p>
      </div>
      {failure ? (
        <p class="sm job-words">
          <b>{failure.what}</b> <span class="mute">{failure.next}</span>
        </p>
      ) : (
        <>
          <Progress row={row} digest={found} />
          <div class="percent ink-dots">
            {row.percent !== null ? (
              <Dots text={`${row.percent}%`} say={`${row.percent} percent`} pitch={4} unlit={false} />
            ) : (
              group === "done" &&
              job?.completedAt && <span class="sm dim">{ago(new Date(job.completedAt), new Date())}</span>
            )}
          </div>
        </>
      )}
      <Actions row={row} />
    </li>
  );
}

function aboutDone({ job, about }: Row, { analysis }: Digest): string {
  if (!analysis) return about;
  const { tempo, key, duration } = analysis;
  const kind = job?.source.kind === "midi" ? ["MIDI"] : [];
  return [
    ...kind,
    clock(duration),
    ...(tempo ? [`${Math.round(tempo.bpm)} BPM`] : []),
    ...(key ? [`${key.tonic} ${key.mode}`] : []),
  ].join(", ");
}

function heardIn({ analysis }: Digest): string {
  if (!analysis) return "";
  const tracks = Object.values(analysis.stems);
  const sum = (of: "notes" | "hits") => tracks.reduce((total, track) => total + (track[of]?.length ?? 0), 0);
  const [notes, hits] = [sum("notes"), sum("hits")];
  return [...(notes ? [counted(notes, "note")] : []), ...(hits ? [counted(hits, "hit")] : [])].join(", ");
}

function Progress({ row, digest: found }: { row: Row; digest: Digest | null }) {
  const { bar, state, tail, title, stems } = row;
  const words = tail ? `${state}, ${tail}` : state;
  return (
    <div class="job-progress">
      <div class="stripe">
        {bar.kind === "sent" && (
          <div
            class="sent"
            role="progressbar"
            aria-label={`${state} ${title}`}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.floor(bar.share * 100)}
            aria-valuetext={words}
          >
            <i style={{ width: `${bar.share * 100}%` }} />
            <em />
            <u />
          </div>
        )}
        {bar.kind === "queue" && (
          <div class="queue" aria-hidden="true">
            {Array.from({ length: Math.min(bar.place, 12) }, (_, place) => (
              <i key={place} class={place === Math.min(bar.place, 12) - 1 ? "mine" : ""} />
            ))}
            <b />
          </div>
        )}
        {bar.kind === "split" && (
          <SplitBar share={bar.share} bodies={stems.map(bodyOf)} label={`${state} ${title}`} words={words} />
        )}
        {bar.kind === "done" && <Outline digest={found} />}
        {bar.kind === "none" && <div class="empty-bar" />}
      </div>
      <p class="job-state">
        <b>{state}</b>
        <span class="num ell">{tail || (found && heardIn(found))}</span>
      </p>
    </div>
  );
}

function Place({ place }: { place: number }) {
  return <Dots text={String(Math.min(place, 999))} say="" pitch={place > 99 ? 3 : 5} />;
}

function BadgeBox({ badge }: { badge: Badge }) {
  if (badge.kind === "failed")
    return (
      <div class="badge hatch" aria-hidden="true">
        <span>!</span>
      </div>
    );
  return (
    <div class={`badge ${badge.kind}`} aria-hidden={badge.kind === "place" ? undefined : true}>
      {badge.kind === "place" && <Place place={badge.place} />}
      {badge.kind === "midi" && (
        <svg width="40" height="34" viewBox="0 0 40 34" aria-hidden="true">
          <path fill="var(--s-ink)" d="M2 22h10v5H2zM14 15h8v5h-8zM24 8h14v5H24zM24 22h7v5h-7z" />
        </svg>
      )}
      {badge.kind === "split" && <Shape body="song" size={34} />}
      {badge.kind === "shapes" &&
        badge.stems
          .slice(0, 6)
          .map((stem) => (
            <Shape
              key={stem}
              body={bodyOf(stem)}
              fill={fillOf(stem)}
              size={badge.stems.length === 1 ? 34 : badge.stems.length > 4 ? 14 : 18}
            />
          ))}
    </div>
  );
}

function Actions({ row }: { row: Row }) {
  const { group, failure, job, upload, ears } = row;
  return (
    <div class="job-actions">
      {ears.length > 0 && job && <Ears job={job} stems={ears} />}
      {group === "open" && ears.length === 0 && (
        <button type="button" class="key sml" aria-label={`Cancel ${row.title}`} onClick={() => cancel(row)}>
          Cancel
        </button>
      )}
      {group === "done" && job && (
        <>
          <a class="key sml" href={`#/song/${job.id}/mix`} aria-label={`Mix ${row.title}`}>
            Mix
          </a>
          <a class="key pri sml" href={`#/song/${job.id}/stage`} aria-label={`Stage ${row.title}`}>
            Stage
          </a>
        </>
      )}
      {failure?.remedy === "retry" && (
        <button type="button" class="key pri sml" onClick={() => again(row)}>
          Try again
        </button>
      )}
      {job && (failure?.remedy === "replace" || failure?.remedy === "fewer") && (
        <button type="button" class="key pri sml" onClick={() => replace(job, failure.remedy === "fewer")}>
          {failure.remedy === "fewer" ? "Use 2 stems" : "Replace file"}
        </button>
      )}
      {(group !== "open" || ears.length > 0) && (job || upload) && <More row={row} />}
    </div>
  );
}

/** What is done less often. */
function More({ row }: { row: Row }) {
  const { job, upload, title, group } = row;
  const action = (name: string, run: () => void) => (
    <button type="button" class="key sml" onClick={run}>
      {name}
    </button>
  );
  return (
    <Menu
      title={`More for ${title}`}
      label={`More for ${title}`}
      keyClass="key sml sq"
      panel={(close) => (
        <>
          {group === "done" && job && (
            <a class="key sml" href={`#/song/${job.id}/take`}>
              Take away
            </a>
          )}
          {group === "open" && action("Cancel", () => cancel(row))}
          {group !== "open" && job && action("Delete", () => remove(job))}
          {group === "failed" &&
            !job &&
            upload &&
            action("Leave it", () => {
              close();
              cancel(row);
            })}
        </>
      )}
    >
      <Icon name="more" />
    </Menu>
  );
}

async function tried(what: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    toast({ title: what, text: refusalWords(error) });
  }
}

function cancel({ job, upload, title }: Row): void {
  const at = desk.peek();
  void tried(`${title} goes on`, async () => {
    if (upload) await at?.uploads.cancel(upload.key);
    else if (job) {
      const cancelled = await at?.client.delete(job.id);
      if (cancelled) at?.live.jobs.merge(cancelled);
      else at?.live.jobs.remove(job.id);
    }
  });
}

function again({ job, upload, title }: Row): void {
  const at = desk.peek();
  if (upload) at?.uploads.retry(upload.key);
  else if (job)
    void tried(`${title} cannot be tried again`, async () => {
      const queued = await at?.client.retry(job.id);
      if (queued) at?.live.jobs.merge(queued as Job);
    });
}

/** The digest of a job that is done, once its row has been seen. */
function useDigest(row: Row, element: { readonly current: HTMLElement | null }): Digest | null {
  const [found, show] = useState<Digest | null>(null);
  const { group, id } = row;
  useEffect(() => {
    const { current } = element;
    if (group !== "done" || !current) return;
    let wanted = true;
    const observer = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return;
      observer.disconnect();
      const client = desk.peek()?.client;
      // A row without its outline is a row all the same.
      if (client)
        digest(client, id).then(
          (it) => wanted && show(it),
          () => undefined,
        );
    });
    observer.observe(current);
    return () => {
      wanted = false;
      observer.disconnect();
    };
  }, [group, id, element]);
  return found;
}
