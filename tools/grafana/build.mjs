// node build.mjs SOURCE CACHE: bundle the page that draws into CACHE/public.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const [source, cache] = process.argv.slice(2).map((name) => path.resolve(name));
const { build } = createRequire(`${cache}/`)("esbuild");

// @grafana/ui imports a default that this version of @grafana/schema no longer has.
const tableDefaults = {
  name: "table defaults",
  setup(steps) {
    steps.onLoad({ filter: /composable\/table\/panelcfg\/x\/types\.gen\.mjs$/ }, ({ path: file }) => ({
      contents: `${fs.readFileSync(file, "utf8")}\nexport const defaultOptions = {};\n`,
      loader: "js",
    }));
  },
};

await build({
  entryPoints: [path.join(source, "app/main.jsx")],
  outfile: path.join(cache, "public/app.js"),
  nodePaths: [path.join(cache, "node_modules")],
  bundle: true,
  jsx: "automatic",
  logLevel: "error",
  define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
  loader: { ".svg": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl" },
  alias: { "react-router-dom-v5-compat": "react-router-dom" },
  plugins: [tableDefaults],
});
fs.cpSync(path.join(cache, "node_modules/@grafana/ui/dist/public"), path.join(cache, "public/public"), { recursive: true });
fs.copyFileSync(path.join(source, "app/index.html"), path.join(cache, "public/index.html"));
