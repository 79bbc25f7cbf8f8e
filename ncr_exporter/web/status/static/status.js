// Only makes the page quicker and its times nearer; all of it works without.
"use strict";

// The same steps as in words.py: a span and an age stand beside each other.
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [1000, "day"]];
const YEAR = 365.25;
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** Milliseconds from now → "3 minutes ago", "in 2 hours". */
function nearer(milliseconds) {
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

/** Put each moment in words; where one points, it is there to the second, in the visitor's time. */
function tellTimes() {
  for (const time of document.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    time.title = moment.toLocaleString(undefined, { timeZoneName: "short" });
    const away = moment - Date.now();
    time.textContent = time.className === "next" && away < 0 ? "now due" : nearer(away);
  }
}

let latest = 0;

/** Show another view of the rows without loading the page; what was open stays open. */
async function show(url, note = "pushState") {
  const mine = ++latest;
  let text;
  try {
    const answer = await fetch(url, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    text = await answer.text();
  } catch {
    location.assign(url);
    return;
  }
  if (mine !== latest) return;
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
  if (note) history[note](null, "", url);
  tellTimes();
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

tellTimes();
setInterval(tellTimes, 30_000);
