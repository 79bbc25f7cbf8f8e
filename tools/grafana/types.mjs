// node types.mjs CACHE DASHBOARD.json…: check dashboards against the types of @grafana/schema.
// A misspelt key, a word that is no choice, a value of the wrong type: each is a line, and exit 1.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const [cache, ...files] = process.argv.slice(2).map((name) => path.resolve(name));
const ts = createRequire(`${cache}/`)("typescript");
const SCHEMA = path.join(cache, "node_modules/@grafana/schema/dist/types/raw");

// What Prometheus' data source keeps beside an annotation's own keys: Grafana's schema has no place for it.
const OF_PROMETHEUS = ["expr", "step", "titleFormat", "textFormat", "tagKeys", "useValueForTime"];

// In JSON an enum is its text.
const PRELUDE = `
import type { Dashboard, Panel, RowPanel } from "${SCHEMA}/dashboard/x/types.gen";
type Text<T> = T extends string ? (string extends T ? T : \`\${T}\`)
  : T extends number | boolean | null | undefined ? T
  : T extends (infer Item)[] ? Text<Item>[]
  : T extends object ? { [Key in keyof T]: Text<T[Key]> } : T;
`;

function source({ panels, ...dashboard }) {
  const annotations = { list: dashboard.annotations.list.map((annotation) =>
    Object.fromEntries(Object.entries(annotation).filter(([key]) => !OF_PROMETHEUS.includes(key)))) };
  const checks = [["dashboard", 'Partial<Omit<Dashboard, "panels">>', { ...dashboard, annotations }]];
  const kinds = new Set();
  for (const { panels: inside, ...panel } of panels.flatMap((panel) => [panel, ...(panel.panels ?? [])])) {
    if (panel.type === "row") {
      checks.push([panel.title, 'Omit<RowPanel, "panels">', panel]);
      continue;
    }
    kinds.add(panel.type);
    const { options, fieldConfig, ...rest } = panel;
    const { custom, ...defaults } = fieldConfig.defaults;
    checks.push([panel.title, 'Omit<Panel, "options" | "fieldConfig">', rest]);
    checks.push([panel.title, `Partial<${panel.type}.Options>`, options]);
    checks.push([panel.title, 'Panel["fieldConfig"]', { ...fieldConfig, defaults }]);
    if (custom) checks.push([panel.title, `Partial<${panel.type}.FieldConfig>`, custom]);
  }
  const imports = [...kinds].map((kind) => `import type * as ${kind} from "${SCHEMA}/composable/${kind}/panelcfg/x/types.gen";`);
  const values = checks.map(([title, type, value], index) =>
    `// ${title}\nexport const value${index}: Text<NonNullable<${type}>> = ${JSON.stringify(value, null, 1)};`);
  return [...imports, PRELUDE, ...values].join("\n");
}

function problemsOf(file) {
  const written = path.join(cache, `${path.basename(file, ".json")}.check.ts`);
  fs.writeFileSync(written, source(JSON.parse(fs.readFileSync(file, "utf8"))));
  const program = ts.createProgram([written], {
    noEmit: true, strict: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
  });
  return ts.getPreEmitDiagnostics(program).map(({ file: at, start, messageText }) => {
    const before = at.text.slice(0, start);
    const title = before.slice(before.lastIndexOf("\n// ") + 4).split("\n", 1)[0];
    const line = at.text.slice(before.lastIndexOf("\n") + 1).split("\n", 1)[0].trim();
    return `${path.basename(file)}: ${title}: ${line} ${ts.flattenDiagnosticMessageText(messageText, " ").slice(0, 300)}`;
  });
}

const problems = files.flatMap(problemsOf);
for (const problem of problems) console.error(problem);
console.log(`types of ${files.length} dashboards: ${problems.length || "no"} problems`);
process.exitCode = problems.length || !files.length ? 1 : 0;
