// A part of the page whose script is fetched when it is wanted.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A component that loads another; while that is on its way, or cannot be had, it says so. */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  waiting = "Loading",
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Later(props: Props) {
    const [failed, fail] = useState(false);
    const [, show] = useState(loaded !== null);
    useEffect(() => {
      if (loaded) return;
      let wanted = true;
      load().then(
        (component) => {
          loaded = component;
          if (wanted) show(true);
        },
        () => wanted && fail(true),
      );
      return () => {
        wanted = false;
      };
    }, []);
    if (loaded) {
      const Loaded = loaded;
      return <Loaded {...props} />;
    }
    if (failed)
      return (
        <main class="lone">
          <h1 class="t2">This part of the page did not come.</h1>
          <p class="mute">Nobody answered, or there is a newer one.</p>
          <button type="button" class="key pri" onClick={() => location.reload()}>
            Load it again
          </button>
        </main>
      );
    return (
      <main class="lone" aria-busy="true">
        <p class="mute">{waiting}</p>
      </main>
    );
  };
}
