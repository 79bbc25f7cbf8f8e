// Grafana's visual components under the ids of its panels. The options are those the dashboards use.
import { cacheFieldDisplayNames, getDisplayValueAlignmentFactors, getFieldDisplayValues, PanelPlugin } from "@grafana/data";
import { setPluginImportUtils } from "@grafana/runtime";
import { sceneUtils } from "@grafana/scenes";
import { BarGauge, BigValue, BigValueTextMode, TimeSeries, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { markRegions } from "./annotations.js";
import { withCustomFields } from "./fields.js";
import { theme } from "./theme.js";

const isEmpty = (data) => !data.series?.length || data.series.every((frame) => !frame.length);

const NothingToShow = ({ panel }) => (
  <div className="empty-panel" style={{ display: "grid", placeItems: "center", height: panel.height }}>
    {panel.fieldConfig.defaults.noValue ?? "No data"}
  </div>
);

const orEmpty = (Draw) => (panel) => isEmpty(panel.data) ? <NothingToShow panel={panel} /> : <Draw {...panel} />;

const Graph = ({ data, timeRange, timeZone, width, height, options }) => (
  <TimeSeries
    frames={data.series} structureRev={data.structureRev} timeRange={timeRange} timeZone={timeZone}
    width={width} height={height} legend={options.legend} options={options}
    tweakAxis={(axis) => axis} tweakScale={(scale) => scale}
  >
    {(config) => { markRegions(config); return null; }}
  </TimeSeries>
);

const repeated = (draw) => (panel) => {
  const values = () => getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, theme,
    replaceVariables: panel.replaceVariables, data: panel.data.series, timeZone: panel.timeZone,
    sparkline: panel.options.graphMode === "area",
  });
  return (
    <VizRepeater
      getValues={values} renderValue={(drawn) => draw(panel.options, drawn)} width={panel.width}
      height={panel.height} source={panel.data} orientation={panel.options.orientation}
      renderCounter={panel.renderCounter} getAlignmentFactors={getDisplayValueAlignmentFactors} autoGrid minVizHeight={panel.options.minVizHeight}
      maxVizHeight={panel.options.maxVizHeight} itemSpacing={8}
    />
  );
};

const Stat = repeated((options, { value, width, height, count }) => (
  <BigValue
    value={value.display} sparkline={value.sparkline} count={count} colorMode={options.colorMode}
    graphMode={options.graphMode} justifyMode={options.justifyMode} width={width} height={height}
    textMode={options.textMode ?? BigValueTextMode.Auto} wideLayout={options.wideLayout} theme={theme}
  />
));

const Bars = repeated((options, { value, width, height, orientation, alignmentFactors, count }) => (
  <BarGauge
    value={value.display} field={value.field} width={width} height={height} orientation={orientation}
    display={value.view?.getFieldDisplayProcessor?.(value.colIndex)} alignmentFactors={alignmentFactors}
    displayMode={options.displayMode} valueDisplayMode={options.valueMode} theme={theme}
    namePlacement={options.namePlacement} showUnfilled={options.showUnfilled} itemSpacing={8}
    lineHeight={22} isOverflow={count > 12}
  />
));

const Table = ({ data, width, height, options, timeRange }) => {
  cacheFieldDisplayNames(data.series);
  return (
    <TableNG
      data={data.series[0]} structureRev={data.structureRev} width={width} height={height}
      cellHeight={options.cellHeight} initialSortBy={options.sortBy} timeRange={timeRange}
      noHeader={!options.showHeader} enableVirtualization={data.series[0].length > 100} getActions={() => []}
    />
  );
};

const PANELS = { timeseries: Graph, stat: Stat, bargauge: Bars, table: Table };
const WITH_CUSTOM_FIELDS = [Graph, Table];

export function registerPanels() {
  for (const [pluginId, Draw] of Object.entries(PANELS)) {
    const useCustomConfig = WITH_CUSTOM_FIELDS.includes(Draw) ? withCustomFields : undefined;
    const plugin = new PanelPlugin(orEmpty(Draw)).useFieldConfig({ useCustomConfig });
    sceneUtils.registerRuntimePanelPlugin({ pluginId, plugin });
  }
  setPluginImportUtils({
    importPanelPlugin: async (id) => { throw new Error(`there is nothing here to draw a panel of type ${id}`); },
    getPanelPluginFromCache: () => undefined,
  });
}
