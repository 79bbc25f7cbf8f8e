// What Grafana's server writes into its page, as far as the libraries look for it when they load.
const buildInfo = { version: "12.4.10", env: "production", edition: "Open Source" };
const settings = { buildInfo, featureToggles: {}, datasources: {}, panels: {}, apps: {}, licenseInfo: {} };
window.grafanaBootData = {
  settings: { ...settings, bootData: {}, theme2: {} },
  user: { timezone: "utc", locale: "en-GB", language: "en-US" },
  navTree: [],
};
// What went wrong and what was asked: draw.mjs reads it.
window.__drawn = { errors: [], pending: 0 };
