// Where the sound of a job's stems lies. Links end after a while, so that each question for them is asked anew.

import type { Client, JobFile } from "../../api/client.ts";
import type { StemSource } from "../../audio/player.ts";
import { inLanes } from "../../bodies.ts";
import { stemOf } from "./digest.ts";

const AUDIO = ".player.flac";
const INDEX = ".player.index";

/** The stems that can be played, in the order of lanes; of these names alone, where some are given. */
export async function sourcesOf(client: Client, job: string, only?: readonly string[]): Promise<StemSource[]> {
  let files: readonly JobFile[] | null = await client.files(job);
  const names = files.filter(({ name }) => name.endsWith(AUDIO)).map(stemOf);
  const url = (listed: readonly JobFile[], stem: string, ending: string) => {
    const found = listed.find((file) => file.name.endsWith(ending) && stemOf(file) === stem);
    if (!found) throw new Error(`${stem}${ending} is not there any more.`);
    return found.url;
  };
  return inLanes(names.filter((name) => !only || only.includes(name))).map((name) => {
    // The first question is answered by what is known already.
    let first = files;
    return {
      name,
      async links() {
        const listed = first ?? (await client.files(job));
        first = null;
        files = null;
        return { audio: url(listed, name, AUDIO), index: url(listed, name, INDEX) };
      },
    };
  });
}
