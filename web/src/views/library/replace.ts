// Another file takes the place of one that failed: the same job again, with what is chosen now.

import { look, refuseMidi, refuseSong } from "../../api/check.ts";
import type { Job, JobRequest } from "../../api/client.ts";
import { MIDI_ENDINGS } from "../../api/sniff.ts";
import { limits } from "../project/picks.ts";
import { desk } from "../session.ts";
import { toast } from "../toasts.ts";

/** Ask for a file, and send it; `fewer` asks for the model of two stems. */
export function replace(job: Job, fewer: boolean): void {
  if (job.source.kind === "stems") {
    location.hash = "#/new";
    return;
  }
  const input = document.createElement("input");
  input.type = "file";
  input.accept = job.source.kind === "midi" ? MIDI_ENDINGS.join() : "audio/*,video/mp4,video/webm";
  input.onchange = () => {
    const [file] = input.files ?? [];
    if (file) void send(job, file, fewer);
  };
  input.click();
}

async function send(job: Job, file: File, fewer: boolean): Promise<void> {
  const at = desk.peek();
  if (!at) return;
  const looked = await look(file);
  const midi = job.source.kind === "midi";
  const refusal = midi ? refuseMidi(looked) : refuseSong(looked, limits.peek());
  if (refusal) {
    toast({ title: `${file.name} does not fit`, text: refusal.message });
    return;
  }
  const { stems: _, ...rest } = job.config;
  const config = fewer ? { ...rest, modelVariant: "2stems" as const } : job.config;
  const named = job.title ? { title: job.title } : {};
  const of = { filename: file.name, size: file.size, ...(file.type ? { contentType: file.type } : {}) };
  const request: JobRequest = midi ? { ...named, midi: of, config } : { ...named, ...of, config };
  at.uploads.add(request, new Map([[midi ? "midi" : "song", file]]));
  await at.client.delete(job.id);
  at.live.jobs.remove(job.id);
}
