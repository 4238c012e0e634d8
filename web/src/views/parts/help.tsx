// The sheet of all keys.

import { KEYS } from "../keys.ts";
import { set, settings } from "../settings.ts";
import { Switch } from "./controls.tsx";
import { Dialog } from "./dialog.tsx";

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div class="dialog-body col">
        <dl class="keys-help">
          {KEYS.map(([keys, does]) => (
            <div key={keys} class="contents">
              <dt>
                {keys.split(" ").map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd class="sm mute">{does}</dd>
            </div>
          ))}
        </dl>
        <Switch
          name="Single keys"
          about="Off in text fields at any time"
          on={settings.value.keys}
          onChange={(keys) => set({ keys })}
        />
      </div>
    </Dialog>
  );
}
