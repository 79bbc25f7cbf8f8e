// Annotations as lines and regions behind the graphs; Grafana's own drawing of them is not in a package.
import { sceneGraph } from "@grafana/scenes";
import { askRange } from "./prometheus.js";
import { theme } from "./theme.js";

const STEP = 60;
let regions = [];

export async function findAnnotations(dashboard, scene) {
  const { value: timeRange } = sceneGraph.getTimeRange(scene).state;
  const step = Math.max(STEP, Math.ceil((timeRange.to.valueOf() - timeRange.from.valueOf()) / 1000 / 2000));
  const found = dashboard.annotations.list.filter(({ enable }) => enable).map(async (annotation) => {
    const expr = sceneGraph.interpolate(scene, annotation.expr, {});
    const series = await askRange(expr, timeRange, step);
    return series.flatMap(({ values }) => spans(values, annotation, step));
  });
  regions = (await Promise.all(found)).flat();
}

function spans(values, { iconColor, useValueForTime }, step) {
  const color = theme.visualization.getColorByName(iconColor);
  if (useValueForTime === "on") {
    return [...new Set(values.map(([, value]) => Number(value)))].map((time) => ({ color, from: time, to: time }));
  }
  const found = [];
  for (const [time] of values.filter(([, value]) => Number(value) !== 0)) {
    const last = found.at(-1);
    if (last && time * 1000 - last.to <= step * 1000) last.to = time * 1000;
    else found.push({ color, from: time * 1000, to: time * 1000 });
  }
  return found;
}

export function markRegions(config) {
  config.addHook("draw", (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { color, from, to } of regions) {
      const [left, right] = [from, to].map((time) => plot.valToPos(time, "x", true));
      ctx.strokeStyle = ctx.fillStyle = color;
      ctx.globalAlpha = 0.06;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.globalAlpha = 0.9;
      ctx.setLineDash([5, 5]);
      for (const x of from === to ? [left] : [left, right]) {
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
    }
    ctx.restore();
  });
}
