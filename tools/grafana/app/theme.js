import { createTheme } from "@grafana/data";
import { config } from "@grafana/runtime";

export const query = new URLSearchParams(location.search);
export const theme = createTheme({ colors: { mode: query.get("theme") ?? "light" } });
config.theme2 = theme;
