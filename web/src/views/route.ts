// Where one is, kept in the address's fragment: the server need know but one page, and a reload finds its place again.

export type SongView = "mix" | "stage" | "take";

export type Route =
  | { readonly view: "welcome" | "library" | "new" | "scenes" | "lost" }
  | { readonly view: SongView; readonly song: string };

const VIEWS: readonly string[] = ["mix", "stage", "take"];

/** The id under which the built-in song is opened. */
export const BUILT_IN = "night-bus";

/** The place that a fragment names, with or without its "#". */
export function routeOf(fragment: string): Route {
  const path = fragment.replace(/^#?\/?/, "").split("?")[0] ?? "";
  const parts = path.split("/");
  if (path === "") return { view: "welcome" };
  if (path === "library" || path === "new" || path === "scenes") return { view: path };
  const [room, song, view = "mix", ...more] = parts;
  if (room === "song" && song && VIEWS.includes(view) && more.length === 0)
    return { view: view as SongView, song: decoded(song) };
  return { view: "lost" };
}

/** The fragment of a place. */
export function fragmentOf(route: Route): string {
  if ("song" in route) return `#/song/${encodeURIComponent(route.song)}/${route.view}`;
  return route.view === "welcome" ? "#/" : `#/${route.view}`;
}

/** Whether the picture alone is wanted, on nothing: for OBS, by `?obs` before the fragment or in it. */
export function isOverlay(address: { search: string; hash: string }): boolean {
  return overlayOf(address) !== null;
}

/** The preset, as text, that such a picture is to have; "" if it may be any, null if it is no such picture. */
export function overlayOf({ search, hash }: { search: string; hash: string }): string | null {
  return new URLSearchParams(hash.split("?")[1]).get("obs") ?? new URLSearchParams(search).get("obs");
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
