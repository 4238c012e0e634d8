import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    target: "es2023",
    minify: false,
    lib: { entry: "harness/scenes.ts", formats: ["iife"], name: "harnessed", fileName: () => "scenes.js" },
  },
});
