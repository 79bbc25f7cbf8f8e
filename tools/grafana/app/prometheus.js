// A data source that asks Prometheus straight from the page.
import { FieldType, LoadingState, PluginType, toDataFrame } from "@grafana/data";
import { setDataSourceSrv, setRunRequest } from "@grafana/runtime";
import { RuntimeDataSource, sceneGraph, sceneUtils } from "@grafana/scenes";
import { from, of } from "rxjs";
import { catchError, map } from "rxjs/operators";
import { query } from "./theme.js";

const DEFAULT_INTERVAL = 15; // what Grafana assumes of a data source that does not say
const UNITS = { s: 1, m: 60, h: 3600 };
const status = window.__drawn;

async function ask(path, parameters) {
  status.pending += 1;
  try {
    const url = `${query.get("prometheus")}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    const answer = await (await fetch(url)).json();
    if (answer.status !== "success") throw new Error(`${parameters.query}: ${answer.error}`);
    return answer.data;
  } catch (error) {
    status.errors.push(String(error.message));
    throw error;
  } finally {
    status.pending -= 1;
  }
}

export const rangeOf = (timeRange) => ({ start: timeRange.from.valueOf() / 1000, end: timeRange.to.valueOf() / 1000 });

export async function askRange(expr, timeRange, step) {
  return (await ask("query_range", { query: expr, ...rangeOf(timeRange), step })).result;
}

export class Prometheus extends RuntimeDataSource {
  constructor() {
    super("prometheus", "prometheus");
    this.name = "Prometheus";
    this.interval = `${DEFAULT_INTERVAL}s`;
    const info = { logos: { small: "", large: "" } };
    this.meta = { id: "prometheus", name: "Prometheus", type: PluginType.datasource, info, baseUrl: "", module: "" };
  }

  query(request) {
    const asked = request.targets.map((target) => this.frames(target, request));
    return from(Promise.all(asked).then((frames) => ({ data: frames.flat(), state: LoadingState.Done })));
  }

  async frames(target, request) {
    const { start, end } = rangeOf(request.range);
    // As Grafana's data source works them out, of the least step of a query, else of its own.
    const least = target.interval ? parseInt(target.interval) * UNITS[target.interval.at(-1)] : DEFAULT_INTERVAL;
    const points = Math.min(request.maxDataPoints ?? 500, 1000);
    const step = Math.max(least, Math.ceil((end - start) / points));
    const rate = Math.max(step + least, 4 * least);
    const times = { __interval: `${step}s`, __rate_interval: `${rate}s`, __range: `${Math.round(end - start)}s` };
    const scoped = Object.entries(times).map(([name, value]) => [name, { text: value, value }]);
    const expr = interpolated(target.expr, { ...request.scopedVars, ...Object.fromEntries(scoped) });
    if (!target.instant) {
      return (await askRange(expr, request.range, step)).map((series) => framed(series, target));
    }
    const { result } = await ask("query", { query: expr, time: end });
    const series = result.map(({ metric, value }) => ({ metric, values: [value] }));
    if (target.format === "table") return series.length ? [tabled(series, target, request.targets.length)] : [];
    return series.map((each) => framed(each, target));
  }

  async metricFindQuery(wanted, options) {
    const [, series, label] = wanted.query.match(/^label_values\((.+), (\w+)\)$/);
    const selector = interpolated(series, options?.scopedVars ?? {});
    return (await ask(`label/${label}/values`, { "match[]": selector })).map((text) => ({ text }));
  }
}

function interpolated(text, scoped) {
  const scene = scoped.__sceneObject?.value?.valueOf?.();
  return scene ? sceneGraph.interpolate(scene, text, scoped, escaped) : text;
}

// As Grafana's own data source does: a variable that takes several values is a regular expression.
function escaped(value, variable) {
  if (!variable.multi && !variable.includeAll) return value;
  return [value].flat().map((one) => (one === ".+" ? one : one.replace(/[\\^$*+?.()|[\]{}]/g, "\\\\$&"))).join("|");
}

function framed({ metric, values }, target) {
  const displayNameFromDS = target.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? "");
  const fields = [
    { name: "Time", type: FieldType.time, values: values.map(([time]) => time * 1000), config: {} },
    { name: "Value", type: FieldType.number, labels: metric, values: values.map(([, v]) => Number(v)), config: { displayNameFromDS } },
  ];
  return toDataFrame({ refId: target.refId, meta: { type: "timeseries-multi" }, fields });
}

function tabled(series, target, queries) {
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const fields = [
    { name: "Time", type: FieldType.time, values: series.map(({ values }) => values[0][0] * 1000), config: {} },
    ...labels.map((label) => ({ name: label, type: FieldType.string, values: series.map(({ metric }) => metric[label] ?? ""), config: {} })),
    { name: queries > 1 ? `Value #${target.refId}` : "Value", type: FieldType.number, values: series.map(({ values }) => Number(values[0][1])), config: {} },
  ];
  return toDataFrame({ refId: target.refId, fields });
}

export function registerPrometheus() {
  const source = new Prometheus();
  sceneUtils.registerRuntimeDataSource({ dataSource: source });
  const settings = { id: 1, uid: "prometheus", name: "Prometheus", type: "prometheus", meta: source.meta, jsonData: {}, access: "proxy", isDefault: true };
  setDataSourceSrv({ get: async () => source, getList: () => [settings], getInstanceSettings: () => settings, reload() {} });
  setRunRequest((_, request) => {
    const failed = (error) => ({ state: LoadingState.Error, series: [], error: { message: String(error.message) }, timeRange: request.range });
    const done = ({ data }) => ({ state: LoadingState.Done, series: data, timeRange: request.range, request });
    return from(source.query(request)).pipe(map(done), catchError((error) => of(failed(error))));
  });
}
