// The field options that panels know. In Grafana they are registered by the app, not by a package.
import {
  dataLinksOverrideProcessor, displayNameOverrideProcessor, identityOverrideProcessor,
  numberOverrideProcessor, standardEditorsRegistry, standardFieldConfigEditorRegistry,
  standardTransformers, standardTransformersRegistry, stringOverrideProcessor,
  thresholdsOverrideProcessor, ThresholdsMode, unitOverrideProcessor, valueMappingsOverrideProcessor,
} from "@grafana/data";

const always = () => true;
const item = (id, process, defaultValue) => ({
  id, path: id, name: id, process, defaultValue, shouldApply: always, settings: {},
  editor: () => null, override: () => null, getItemsCount: () => 0,
});

const STANDARD = [
  item("unit", unitOverrideProcessor), item("min", numberOverrideProcessor),
  item("max", numberOverrideProcessor), item("decimals", numberOverrideProcessor),
  item("displayName", displayNameOverrideProcessor), item("color", identityOverrideProcessor),
  item("noValue", stringOverrideProcessor), item("links", dataLinksOverrideProcessor),
  item("mappings", valueMappingsOverrideProcessor, []),
  item("thresholds", thresholdsOverrideProcessor, {
    mode: ThresholdsMode.Absolute, steps: [{ value: -Infinity, color: "green" }],
  }),
];

// Grafana's defaults for graphs and tables.
const CUSTOM = {
  drawStyle: "line", lineWidth: 1, fillOpacity: 0, gradientMode: "none", lineInterpolation: "linear",
  lineStyle: { fill: "solid" }, showPoints: "auto", pointSize: 5, spanNulls: false, insertNulls: false,
  stacking: { mode: "none", group: "A" }, barAlignment: 0, barWidthFactor: 0.6, axisPlacement: "auto",
  axisLabel: "", axisSoftMin: undefined, axisSoftMax: undefined, axisColorMode: "text", axisBorderShow: false, axisCenteredZero: false,
  scaleDistribution: { type: "linear" }, hideFrom: { tooltip: false, viz: false, legend: false },
  thresholdsStyle: { mode: "off" }, cellOptions: { type: "auto" }, align: "auto", width: undefined,
  filterable: undefined, inspect: false, minWidth: undefined, wrapText: false, wrapHeaderText: false,
};

export const withCustomFields = (builder) => {
  for (const [id, value] of Object.entries(CUSTOM)) {
    builder.addCustomEditor(item(id, identityOverrideProcessor, value));
  }
};

const EDITORS = [
  "text", "number", "slider", "boolean", "select", "radio", "color", "unit", "thresholds", "fieldColor",
  "mappings", "links", "strings", "timezone", "stats-picker", "multi-select", "field-name", "dashboard-uid",
];

export function registerFields() {
  standardFieldConfigEditorRegistry.setInit(() => STANDARD);
  standardEditorsRegistry.setInit(() => EDITORS.map((id) => ({ id, name: id, editor: () => null })));
  // Some are exported under two names.
  const byId = new Map(Object.values(standardTransformers).map((found) => [found.id, found]));
  standardTransformersRegistry.setInit(() =>
    [...byId].map(([id, transformation]) => ({ id, name: id, transformation, editor: () => null })),
  );
}
