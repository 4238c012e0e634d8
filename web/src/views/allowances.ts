// What a person may take, and what of it is left, as stats: the cells are what is left.

import type { Quota } from "../api/client.ts";
import type { Stat } from "./parts/stat.tsx";
import { count, size, timeOfDay } from "./words.ts";

export function allowancesOf({ minutesToday, openJobs, bytesKept }: Quota): Stat[] {
  const more = `None left until ${timeOfDay(new Date(minutesToday.resetsAt))}`;
  return [
    { name: "Minutes today", fact: leftOf(minutesToday) ?? more, cells: cellsOf(minutesToday) },
    { name: "Open jobs", fact: leftOf(openJobs) ?? "None left until one ends", cells: cellsOf(openJobs) },
    { name: "Kept", fact: `${size(bytesKept.used)} of ${size(bytesKept.limit)}`, cells: cellsOf(bytesKept) },
  ];
}

interface Allowance {
  readonly limit: number;
  readonly left: number;
}

/** Null where there is none; what is not a whole one is not said. */
function leftOf({ limit, left }: Allowance): string | null {
  return left < 1 ? null : `${count(Math.floor(left))} of ${count(limit)} left`;
}

function cellsOf({ limit, left }: Allowance): number {
  return left <= 0 || limit <= 0 ? 0 : Math.min(10, Math.ceil((10 * left) / limit));
}
