// The time that is played, for what is written: some times a second, and at each change.

import { useEffect, useState } from "preact/hooks";
import { Scope } from "../../scope.ts";
import type { Console } from "./console.ts";

/** @param rate Times a second at most. */
export function useNow(console: Console, rate: number): number {
  const [now, show] = useState(() => console.now());
  useEffect(() => {
    const scope = new Scope();
    let due = 0;
    scope.frames((at) => {
      if (at < due) return;
      due = at + 1000 / rate - 4;
      show(console.now());
    });
    return () => scope.close();
  }, [console, rate]);
  return now;
}
