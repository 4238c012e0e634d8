// How much script each part of the page takes, packed as it is sent: the build says so, and fails beyond what
// sizes.json allows (docs/studio.md).

import { gzipSync } from "node:zlib";
import type { Plugin, Rollup } from "vite";
import { apart, parts } from "./sizes.json" with { type: "json" };

/** What is fetched when modules are opened: their chunks, all that these import, and the workers that they start. */
function fetched(
  bundle: Rollup.OutputBundle,
  root: string,
  modules: readonly string[],
): Map<string, Rollup.OutputChunk | Rollup.OutputAsset> {
  const all = Object.values(bundle);
  const found = new Map<string, Rollup.OutputChunk | Rollup.OutputAsset>();
  const fetch = (file: Rollup.OutputChunk | Rollup.OutputAsset | undefined) => {
    if (!file || found.has(file.fileName)) return;
    found.set(file.fileName, file);
    if (file.type === "asset") return;
    for (const name of file.imports) fetch(bundle[name]);
    for (const other of all) if (isWorker(other) && file.code.includes(nameOf(other))) fetch(other);
  };
  for (const module of modules) {
    const chunk = all.find((file) => file.type === "chunk" && file.moduleIds.includes(`${root}/${module}`));
    if (!chunk) throw new Error(`sizes.json: no script has ${module}.`);
    fetch(chunk);
  }
  return found;
}

const isWorker = ({ type, fileName }: { type: string; fileName: string }) =>
  type === "asset" && fileName.endsWith(".js");
const nameOf = ({ fileName }: { fileName: string }) => fileName.slice(fileName.lastIndexOf("/") + 1);
const packed = (file: Rollup.OutputChunk | Rollup.OutputAsset) =>
  gzipSync(file.type === "chunk" ? file.code : file.source, { level: 9 }).length;

export function sizes(): Plugin {
  let root = "";
  let say: (words: string) => void = () => undefined;
  return {
    name: "sizes",
    enforce: "post",
    // Tests build other pages by the same configuration, from roots of their own.
    apply: ({ root }, { command }) => command === "build" && root === undefined,
    configResolved: (config) => {
      root = config.root;
      say = (words) => config.logger.info(words);
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const wrong: string[] = [];
        for (const { name, opens, after, most } of parts) {
          const before = fetched(bundle, root, after);
          const files = [...fetched(bundle, root, opens).values()].filter(({ fileName }) => !before.has(fileName));
          const size = files.reduce((sum, file) => sum + packed(file), 0) / 1000;
          say(`${name.padEnd(12)}${size.toFixed(1).padStart(6)} kB of ${most}`);
          if (size > most) wrong.push(`${name} takes ${size.toFixed(1)} kB of script, more than ${most}`);
          for (const module of files.flatMap((file) => (file.type === "chunk" ? file.moduleIds : [])))
            if (apart.some((folder) => module.startsWith(`${root}/${folder}`))) wrong.push(`${name} has ${module}`);
        }
        if (wrong.length > 0) this.error(`${wrong.join("; ")} (sizes.json).`);
      },
    },
  };
}
