// A song that plays in one view, and is to go on in another.

import type { Console } from "./console.ts";

let going: Console | null = null;

/** Have the next view that opens this song go on with it, as it plays: it closes it then. */
export function handOver(console: Console): void {
  going?.close();
  going = console;
}

/** The song that was handed over, if it is this one. */
export function handedOver(id: string): Console | null {
  if (going?.opened.id !== id) return null;
  const console = going;
  going = null;
  return console;
}
