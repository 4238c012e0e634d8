// The files that somebody has chosen or dropped, and which way they come in by.

import { computed, signal } from "@preact/signals";
import { look, refuseMidi, refuseSong, refuseStems } from "../../api/check.ts";
import type { Limits } from "../../api/config.ts";
import type { Refusal } from "../../api/errors.ts";
import { config, desk } from "../session.ts";
import { toast } from "../toasts.ts";
import { counted } from "../words.ts";
import { type Loadout, roleOfName, stemNames, usual, type Way } from "./loadout.ts";
import { destination, isMidi, type Pick, requestsOf } from "./requests.ts";

export const way = signal<Way>("song");
export const picks = signal<readonly Pick[]>([]);
export const loadout = signal<Loadout>(usual([]));
export const title = signal("");

const NO_LIMITS: Limits = { bytes: Number.POSITIVE_INFINITY, seconds: Number.POSITIVE_INFINITY, models: [] };
export const limits = computed(() => config.value?.limits ?? NO_LIMITS);

/** Take files to the card where they belong; returns those of which that is not for us to say: stems, or songs. */
export async function take(files: readonly File[], at: Way | null): Promise<readonly File[]> {
  const sound = files.filter(({ name }) => !isMidi(name));
  const midi = files.length - sound.length;
  if (sound.length > 0 && midi > 0)
    toast({ title: `${counted(midi, "MIDI file")} left out`, text: "MIDI is a project by itself: drop it alone." });
  const taken = sound.length > 0 ? sound : files;
  const to = destination(
    taken.map(({ name }) => name),
    at,
  );
  if (to === "ask") return taken;
  await bring(taken, to);
  return [];
}

/** Put files on a card; stems join those that are there. */
export async function bring(files: readonly File[], to: Way): Promise<void> {
  const found = await Promise.all(
    files.map(async (file) => ({ looked: await look(file), role: roleOfName(file.name) })),
  );
  const before = to === "stems" && way.peek() === "stems" ? picks.peek() : [];
  way.value = to;
  picks.value = [...before, ...found];
  if (to === "midi") loadout.value = { ...loadout.peek(), midi: { ...loadout.peek().midi, roles: {} } };
  if (location.hash !== "#/new") location.hash = "#/new";
}

export function leave(place: number): void {
  picks.value = picks.peek().filter((_, at) => at !== place);
}

/** Why what is chosen is refused: each file by its place, and all of them together. */
export const refusals = computed((): { each: ReadonlyMap<number, Refusal>; all: Refusal | null } => {
  const chosen = picks.value;
  if (way.value === "stems") {
    const names = stemNames(chosen.map(({ role }) => role));
    const stems = chosen.map(({ looked }, place) => ({ name: names[place] ?? "", looked }));
    return refuseStems(stems, limits.value);
  }
  const each = new Map<number, Refusal>();
  for (const [place, { looked }] of chosen.entries()) {
    const refusal = way.value === "midi" ? refuseMidi(looked) : refuseSong(looked, limits.value);
    if (refusal) each.set(place, refusal);
  }
  return { each, all: null };
});

/** Send what is chosen, as far as it is not refused, and go to where it is watched. */
export function send(): void {
  const at = desk.peek();
  if (!at) return;
  const { each, all } = refusals.peek();
  const fit = picks.peek().filter((_, place) => !each.has(place));
  if (all || fit.length === 0 || (way.peek() === "stems" && each.size > 0)) {
    toast({ title: all?.message ?? "Nothing here can be sent." });
    return;
  }
  for (const { request, files } of requestsOf(way.peek(), fit, { loadout: loadout.peek(), title: title.peek() }))
    at.uploads.add(request, files);
  picks.value = [];
  title.value = "";
  location.hash = "#/library";
}
