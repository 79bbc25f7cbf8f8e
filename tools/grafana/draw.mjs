// node draw.mjs CACHE DASHBOARD.json PROMETHEUS_URL OUT.png [NAME=VALUE…]: take a picture of a dashboard.
// Of the names, width, height and scale are the picture's; all others go to the page (from, theme, var-image …).
// Exit 1 where a query failed, a panel could not be drawn, or one that has no words for it is empty.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";

const [cache, dashboard, prometheus, out, ...given] = process.argv.slice(2);
const { width = 1500, height, scale = 1, ...page } = Object.fromEntries(given.map((pair) => pair.split(/=(.*)/s)));
const { launch } = createRequire(`${path.resolve(cache)}/`)("puppeteer-core").default;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml" };
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const inside = path.join(cache, "public", path.normalize(pathname === "/" ? "/index.html" : pathname));
  const file = pathname === "/dashboard.json" ? dashboard : inside;
  if (!fs.existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream" });
  fs.createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const browser = await launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  const tab = await browser.newPage();
  const panels = JSON.parse(fs.readFileSync(dashboard)).panels;
  const shown = panels.flatMap((panel) => [panel, ...("expand" in page ? panel.panels ?? [] : [])]);
  const rows = Math.max(...shown.map(({ gridPos }) => gridPos.y + gridPos.h));
  const tall = Number(height ?? rows * 38 + 90); // a row of the grid is 30 pixels and 8 of gap
  await tab.setViewport({ width: Number(width), height: tall, deviceScaleFactor: Number(scale) });
  const said = [];
  tab.on("pageerror", (error) => said.push(error.stack));
  const address = new URLSearchParams({ dashboard: "/dashboard.json", prometheus, ...page });
  await tab.goto(`http://127.0.0.1:${server.address().port}/?${address}`);
  await tab.waitForFunction(() => document.querySelector("[data-viz-panel-key]") || window.__drawn.errors.length, { timeout: 60_000 });
  await tab.waitForNetworkIdle({ idleTime: 1500, timeout: 60_000 });
  await tab.screenshot({ path: out });
  const { errors, empty, links } = await tab.evaluate(() => ({
    errors: window.__drawn.errors,
    empty: [...document.querySelectorAll(".empty-panel")]
      .filter((panel) => panel.textContent === "No data")
      .map((panel) => panel.closest("[data-viz-panel-key]").dataset.vizPanelKey),
    links: [...document.querySelectorAll("a[href*='/d/']")].map((link) => link.getAttribute("href")),
  }));
  const titles = empty.map((key) => panels.find(({ id }) => key === `panel-${id}`)?.title ?? key);
  for (const problem of [...said, ...errors, ...titles.map((title) => `empty: ${title}`)]) console.error(problem);
  if (process.env.LINKS) console.log([...new Set(links)].join("\n"));
  process.exitCode = said.length || errors.length || titles.length ? 1 : 0;
} finally {
  await browser.close();
  server.close();
}
