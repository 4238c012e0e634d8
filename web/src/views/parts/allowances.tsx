// What whoever is signed in may take, asked for when it is looked at.

import { useEffect, useState } from "preact/hooks";
import type { Quota } from "../../api/client.ts";
import { allowancesOf } from "../allowances.ts";
import { desk } from "../session.ts";
import { StatLine } from "./stat.tsx";

export function Allowances() {
  const [quota, show] = useState<Quota | null>(null);
  const client = desk.value?.client;
  useEffect(() => {
    const abort = new AbortController();
    client?.quota(abort.signal).then(show, () => undefined); // the settings do without it
    return () => abort.abort();
  }, [client]);
  if (!quota) return null;
  return (
    <dl class="allowances">
      {allowancesOf(quota).map((stat) => (
        <StatLine key={stat.name} {...stat} />
      ))}
    </dl>
  );
}
