// Deleting can be undone for eight seconds: until then nothing is asked of the service. Whoever leaves the page before
// that keeps the job.

import { signal } from "@preact/signals";
import type { Job } from "../../api/client.ts";
import { titleOf } from "../job.ts";
import { desk } from "../session.ts";
import { toast } from "../toasts.ts";

const SECONDS = 8;

export interface Going {
  readonly job: Job;
  readonly left: number;
  readonly timer: ReturnType<typeof setInterval>;
}

export const going = signal<ReadonlyMap<string, Going>>(new Map());

export function remove(job: Job): void {
  const timer = setInterval(() => tick(job), 1000);
  going.value = new Map(going.peek()).set(job.id, { job, left: SECONDS, timer });
}

export function undo(id: string): void {
  const found = going.peek().get(id);
  if (!found) return;
  clearInterval(found.timer);
  const rest = new Map(going.peek());
  rest.delete(id);
  going.value = rest;
}

function tick(job: Job): void {
  const found = going.peek().get(job.id);
  if (!found) return;
  if (found.left > 1) going.value = new Map(going.peek()).set(job.id, { ...found, left: found.left - 1 });
  else void end(job);
}

async function end(job: Job): Promise<void> {
  const at = desk.peek();
  clearInterval(going.peek().get(job.id)?.timer);
  try {
    await at?.client.delete(job.id);
    at?.live.jobs.remove(job.id);
  } catch (error) {
    toast({ title: `“${titleOf(job)}” is still there`, text: error instanceof Error ? error.message : String(error) });
  }
  undo(job.id);
}
