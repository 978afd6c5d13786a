// The build goes into the Python package; the same sources give the same bytes.
import { defineConfig } from "vite";

export default defineConfig({
  base: "/static/",
  // Preact's JSX without a plugin.
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../streams/web/static",
    assetsDir: "",
    emptyOutDir: true,
    target: "es2022",
    // As they were written: these know light-dark().
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: { output: { entryFileNames: "[name]-[hash].js", chunkFileNames: "[name]-[hash].js", assetFileNames: "[name]-[hash][extname]" } },
  },
});
