// Draws one dashboard: /?dashboard=URL&prometheus=URL&now=MS&from=now-7d&theme=light&var-image=api…
import "./boot.js";
import { EventBusSrv, rangeUtil, ThemeContext } from "@grafana/data";
import { initPluginTranslations } from "@grafana/i18n";
import * as runtime from "@grafana/runtime";
import {
  DataSourceVariable, EmbeddedScene, QueryVariable, SceneControlsSpacer, SceneDataTransformer,
  SceneGridItem, SceneGridLayout, SceneGridRow, SceneQueryRunner, SceneTimePicker, SceneTimeRange,
  SceneVariableSet, TextBoxVariable, VariableValueSelectors, VizPanel,
} from "@grafana/scenes";
import { GlobalStyles } from "@grafana/ui";
import { createRoot } from "react-dom/client";
import { MemoryRouter } from "react-router-dom";
import { of } from "rxjs";
import { findAnnotations } from "./annotations.js";
import { registerFields } from "./fields.js";
import { registerPanels } from "./panels.jsx";
import { registerPrometheus } from "./prometheus.js";
import { query, theme } from "./theme.js";

function panelOf(panel) {
  const { datasource, targets: queries, maxDataPoints } = panel;
  const runner = new SceneQueryRunner({ datasource, queries, ...(maxDataPoints && { maxDataPoints }) });
  return new VizPanel({
    key: `panel-${panel.id}`, pluginId: panel.type, title: panel.title, description: panel.description,
    options: panel.options, fieldConfig: panel.fieldConfig,
    $data: new SceneDataTransformer({ $data: runner, transformations: panel.transformations ?? [] }),
  });
}

function itemOf(panel) {
  const { x, y, w: width, h: height } = panel.gridPos;
  if (panel.type !== "row") return new SceneGridItem({ x, y, width, height, body: panelOf(panel) });
  const isCollapsed = panel.collapsed && !query.has("expand");
  return new SceneGridRow({ y, title: panel.title, isCollapsed, children: panel.panels.map(itemOf) });
}

// As Grafana does it: panels that follow a row on the top level belong to it.
function itemsOf(panels) {
  const items = [];
  for (const panel of panels) {
    const row = items.findLast((item) => item instanceof SceneGridRow);
    if (panel.type === "row" || !row) items.push(itemOf(panel));
    else row.setState({ children: [...row.state.children, itemOf(panel)] });
  }
  return items;
}

function variableOf({ type, name, label, datasource, query: wanted, refresh, sort, multi, includeAll, allValue }) {
  if (type === "datasource") return new DataSourceVariable({ name, label, pluginId: wanted });
  const given = query.get(`var-${name}`);
  if (type === "textbox") return new TextBoxVariable({ name, label, value: given ?? "" });
  const value = given ?? (includeAll ? ["$__all"] : "");
  const common = { name, label, datasource, query: wanted, refresh, sort, isMulti: multi, includeAll, allValue };
  return new QueryVariable({ ...common, value, text: value === given ? given : includeAll ? ["All"] : "" });
}

async function main() {
  const dashboard = await (await fetch(query.get("dashboard"))).json();
  registerFields();
  registerPanels();
  registerPrometheus();
  const appEvents = new EventBusSrv();
  runtime.setTemplateSrv({ replace: (text) => text, getVariables: () => [], containsTemplate: () => false, updateTimeRange() {} });
  runtime.setBackendSrv({ get: async () => ({}), fetch: () => of({}) });
  runtime.setEchoSrv({ addEvent() {}, addBackend() {}, flush() {} });
  runtime.setAppEvents(appEvents);
  await initPluginTranslations("grafana").catch(() => {});
  const to = Number(query.get("now") ?? Date.now());
  const from = to - rangeUtil.intervalToMs((query.get("from") ?? dashboard.time.from).replace("now-", ""));
  const scene = new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), timeZone: "utc" }),
    $variables: new SceneVariableSet({ variables: dashboard.templating.list.map(variableOf) }),
    controls: [new VariableValueSelectors({}), new SceneControlsSpacer(), new SceneTimePicker({})],
    body: new SceneGridLayout({ isLazy: false, children: itemsOf(dashboard.panels) }),
  });
  // The variables have to have their values before the annotations' queries name them.
  const deactivate = scene.activate();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await findAnnotations(dashboard, scene);
  deactivate();
  const page = { padding: 16, minHeight: "100vh", background: theme.colors.background.canvas };
  createRoot(document.getElementById("root")).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <MemoryRouter>
        <div style={page}><scene.Component model={scene} /></div>
      </MemoryRouter>
    </ThemeContext.Provider>,
  );
}

main().catch((error) => window.__drawn.errors.push(String(error.stack)));
