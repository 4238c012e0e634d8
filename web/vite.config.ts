import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { sizes } from "./sizes.ts";

// `make web-dev` is served beside `make local`, which has written where all is.
const beside = new URL("../.local/config.json", import.meta.url);

export default defineConfig({
  server: { port: 5173, strictPort: true },
  plugins: [
    sizes(),
    {
      name: "beside-make-local",
      configureServer: ({ middlewares }) => {
        middlewares.use("/config.json", (_, answer) => answer.end(readFileSync(beside)));
      },
    },
  ],
  base: "./",
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    license: { fileName: "licences.md" },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
