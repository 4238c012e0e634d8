import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  build: { target: "es2023", modulePreload: { polyfill: false }, assetsInlineLimit: 0, sourcemap: false },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
