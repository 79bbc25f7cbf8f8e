// Shows times relative to now, and sorts and searches without reloading. The page works without it.
"use strict";

// The same units as in words.py, because spans and ages appear side by side.
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [1000, "day"]];
const YEAR = 365.25;
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** Milliseconds from now → "3 minutes ago", "in 2 hours". */
function relative(milliseconds) {
  let value = milliseconds / 1000;
  for (const [length, unit] of STEPS) {
    const whole = Math.round(value);
    if (Math.abs(whole) < length) {
      return unit === "second" ? (value < 0 ? "just now" : "within a minute") : words.format(whole, unit);
    }
    value /= unit === "day" ? YEAR : length;
  }
  return words.format(Math.round(value * 10) / 10, "year");
}

/** Replace each time by one relative to now; the tooltip has it to the second, in local time. */
function updateTimes() {
  for (const time of document.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    time.title = moment.toLocaleString(undefined, { timeZoneName: "short" });
    const away = moment - Date.now();
    time.textContent = time.className === "next" && away < 0 ? "now due" : relative(away);
  }
}

let latest = 0;

/** Replace the rows by those at a URL without loading the page; open rows stay open. */
async function show(url, historyMethod = "pushState") {
  const current = ++latest;
  let text;
  try {
    const response = await fetch(url, { headers: { accept: "text/html" } });
    if (!response.ok) throw new Error(response.statusText);
    text = await response.text();
  } catch {
    location.assign(url);
    return;
  }
  if (current !== latest) return; // a later request has been made meanwhile
  const found = new DOMParser().parseFromString(text, "text/html").getElementById("images");
  const before = document.getElementById("images");
  for (const part of found.querySelectorAll("details")) {
    part.open = before.querySelector(`details[data-key="${CSS.escape(part.dataset.key)}"]`)?.open ?? false;
  }
  const input = document.getElementById("q");
  const focused = document.activeElement === input;
  const { value, selectionStart, selectionEnd } = input;
  before.replaceWith(found);
  if (focused) {
    const next = document.getElementById("q");
    next.value = value;
    next.focus();
    next.setSelectionRange(selectionStart, selectionEnd);
  }
  if (historyMethod) history[historyMethod](null, "", url);
  updateTimes();
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
  const link = event.target.closest("#images :is(.heads, .chips, thead) a");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  show(link.href);
});
addEventListener("popstate", () => show(location.href, null));

updateTimes();
setInterval(updateTimes, 30_000);
