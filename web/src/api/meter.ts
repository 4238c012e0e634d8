// How fast an upload goes, by the last few seconds: a mean of all of it would not notice a network that slows down, and
// one of the last event jumps.

const WINDOW_SECONDS = 5;

export class Meter {
  #samples: { at: number; bytes: number }[] = [];

  /** Note how many bytes are sent by now, at a time in milliseconds. What was begun again is measured anew. */
  note(bytes: number, at: number): void {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) this.#samples = [];
    this.#samples.push({ at, bytes });
    const since = at - WINDOW_SECONDS * 1000;
    // One that is older stays, so that there are always two.
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? at) <= since) this.#samples.shift();
  }

  /** Bytes a second, or null while too little is known. */
  speed(now: number): number | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || first === last) return null;
    const seconds = (now - first.at) / 1000;
    return seconds < 0.2 ? null : (last.bytes - first.bytes) / seconds;
  }

  /** Seconds until as many bytes more are sent, or null while nobody knows. */
  left(bytes: number, now: number): number | null {
    const speed = this.speed(now);
    return speed ? bytes / speed : null;
  }
}
