// Whoever listens, asks for frames or opens something does it through a scope, so that closing the scope ends all of
// it: a page that is open for hours leaks by what each view forgot to take back.

/** Holds what is to be released, and releases it once, the newest first. */
export class Scope {
  readonly #abort = new AbortController();
  #releases: (() => void)[] = [];

  /** Aborted when the scope closes: give it to `fetch` and `addEventListener`. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Call `release` when the scope closes; at once, if it has. */
  add(release: () => void): void {
    if (this.signal.aborted) release();
    else this.#releases.push(release);
  }

  /** A scope that closes with this one, or before. */
  child(): Scope {
    const child = new Scope();
    this.add(() => child.close());
    return child;
  }

  /** Call `draw` before each picture of the screen, with the browser's time in milliseconds. */
  frames(draw: (now: number) => void): void {
    let frame = requestAnimationFrame(function next(now) {
      frame = requestAnimationFrame(next);
      draw(now);
    });
    this.add(() => cancelAnimationFrame(frame));
  }

  /** Call `work` every `seconds`. */
  every(seconds: number, work: () => void): void {
    const timer = setInterval(work, seconds * 1000);
    this.add(() => clearInterval(timer));
  }

  /** Release everything. */
  close(): void {
    if (this.signal.aborted) return;
    this.#abort.abort();
    for (const release of this.#releases.reverse()) release();
    this.#releases = [];
  }
}
