// Keeps the page up to date, shows times relative to now, sorts and searches without reloading, and
// copies references. The page works without it.
"use strict";

const REFRESHED_EVERY = 30_000;
// The same units as in words.py, because spans and ages appear side by side.
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [1000, "day"]];
const YEAR = 365.25;
const { lang } = document.documentElement;
const relativeTime = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
const texts = document.body.dataset; // in the page's language

/** Milliseconds from now → "3 minutes ago", "in 2 hours". */
function relative(milliseconds) {
  let value = milliseconds / 1000;
  for (const [length, unit] of STEPS) {
    const whole = Math.round(value);
    if (Math.abs(whole) < length) {
      if (unit === "second") return value <= 0 ? texts.justNow : texts.withinAMinute;
      return relativeTime.format(whole, unit);
    }
    value /= unit === "day" ? YEAR : length;
  }
  return relativeTime.format(Math.round(value * 10) / 10, "year");
}

/** Replace each time by one relative to now; the tooltip has it to the second, in local time. */
function updateTimes() {
  for (const time of document.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    time.title = moment.toLocaleString(lang, { timeZoneName: "short" });
    const away = moment - Date.now();
    // A poll that was due may have happened since: only a new page can tell.
    const isPast = time.className === "next" && away < 0;
    time.textContent = isPast ? texts.wasDue.replace("{}", relative(away)) : relative(away);
  }
  for (const button of document.querySelectorAll("button.copy")) button.hidden = false;
}

/** The page says its moment to the minute, by another clock; the script knows when it came. */
function setMoment(date) {
  const time = document.querySelector(".as-of time");
  if (time) time.dateTime = date.toISOString();
}

/** What leads to the same element in a later page; none where there is nothing sure. */
function selectorOf(element) {
  if (!element || element === document.body) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  const row = element.closest("details");
  const inRow = row ? `details[data-key="${CSS.escape(row.dataset.key)}"] ` : "";
  if (element.matches("summary")) return `${inRow}summary`;
  if (element.matches("a")) return `${inRow}a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  if (element.matches(".copy")) return `${inRow}.copy[data-copy="${CSS.escape(element.dataset.copy)}"]`;
  return null;
}

/** Put parts of another page in place of ours; what is open, typed or focused stays so. */
function take(text, selectors) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const focused = selectorOf(document.activeElement);
  const { value, selectionStart, selectionEnd } = document.getElementById("q") ?? {};
  const open = new Set([...document.querySelectorAll("details[open]")].map((row) => row.dataset.key));
  for (const selector of selectors) {
    const found = page.querySelector(selector);
    if (found) document.querySelector(selector)?.replaceWith(found);
  }
  for (const row of document.querySelectorAll("details")) row.open = open.has(row.dataset.key);
  const input = document.getElementById("q");
  if (focused === "#q" && input) {
    input.value = value;
    input.focus({ preventScroll: true });
    input.setSelectionRange(selectionStart, selectionEnd);
  } else if (focused) {
    document.querySelector(focused)?.focus({ preventScroll: true });
  }
  document.title = page.title;
  setMoment(new Date());
  updateTimes();
}

const CHANGING = [".languages", "#content"];
let latest = 0;
let loading = 0;

/** The text of a page, or null where another one was asked for meanwhile. */
async function load(url) {
  const current = ++latest;
  loading += 1;
  try {
    const response = await fetch(url, { headers: { accept: "text/html" }, cache: "no-cache" });
    if (!response.ok) throw new Error(response.statusText);
    const text = await response.text();
    return current === latest ? text : null;
  } finally {
    loading -= 1;
  }
}

/** Replace the rows by those at a URL without loading the page. */
async function show(url, historyMethod = "pushState") {
  let text;
  try {
    text = await load(url);
  } catch {
    location.assign(url);
    return;
  }
  if (text === null) return;
  if (historyMethod) history[historyMethod](null, "", url);
  take(text, CHANGING);
  refreshedAt = Date.now();
  sayTrouble(false);
}

let refreshedAt = 0;

function sayTrouble(isTrouble) {
  document.querySelector(".trouble").hidden = !isTrouble;
}

/** Whether a new page would disturb somebody who is about to select or type something. */
function isBusy() {
  const selection = getSelection();
  return !selection.isCollapsed && document.getElementById("content").contains(selection.anchorNode);
}

/** Load the page again, as it is left open; say so where that fails. */
async function refresh() {
  if (document.visibilityState !== "visible" || loading || isBusy()) return;
  refreshedAt = Date.now();
  try {
    const text = await load(location.href);
    if (text === null || isBusy()) return;
    take(text, CHANGING);
    sayTrouble(false);
  } catch {
    sayTrouble(true);
  }
}

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyOldWay(text); // without TLS, browsers have no clipboard for scripts
  }
  const before = button.textContent;
  if (before === texts.copied) return;
  button.textContent = texts.copied;
  setTimeout(() => { button.textContent = before; }, 2000);
}

function copyOldWay(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "aside";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
}

function addressOf(form) {
  return `?${new URLSearchParams(new FormData(form))}`;
}

let typing;
document.addEventListener("input", (event) => {
  if (event.target.id !== "q") return;
  clearTimeout(typing);
  typing = setTimeout(() => show(addressOf(event.target.form), "replaceState"), 200);
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  show(addressOf(event.target));
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) {
    copy(button);
    return;
  }
  const link = event.target.closest("#images :is(.heads, .chips, thead) a");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  show(link.href);
});
addEventListener("popstate", () => show(location.href, null));
document.addEventListener("visibilitychange", () => {
  if (Date.now() - refreshedAt >= REFRESHED_EVERY) refresh();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) refresh(); // out of the browser's memory, and as old as it was left
});

const [navigation] = performance.getEntriesByType("navigation");
if (navigation?.transferSize) {
  refreshedAt = Date.now();
  setMoment(new Date());
} else {
  refresh(); // out of the browser's cache, as when one goes back: its moment is the exporter's
}
updateTimes();
setInterval(updateTimes, 10_000);
setInterval(refresh, REFRESHED_EVERY);
