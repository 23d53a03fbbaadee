/** The dashboard. A stream of events brings the figures; lists are requested page by page. */

import { request } from "./api.js";
import { Chart } from "./chart.js";
import { ConnectionTable } from "./connections.js";
import { bytes, count } from "./format.js";
import { showExplanation, showPools, showRedis, showRefused, showRoutes } from "./views.js";

const $ = (id) => document.getElementById(id);
const rate = (value) => `${bytes(value)}/s`;

/** Steps of the scales: 1, 2, 5, 10 and so on, and the powers of 2. */
const DECIMAL = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
const BINARY = Array.from({ length: 50 }, (_, power) => 2 ** power);

const charts = {
  active: new Chart($("chart-active"), "Open connections", { open: "--first" }, count, DECIMAL),
  rate: new Chart($("chart-rate"), "New connections per second", { new: "--first" }, count, DECIMAL),
  bytes: new Chart(
    $("chart-bytes"),
    "Bytes per second, from clients and from upstreams",
    { "from clients": "--first", "from upstreams": "--second" },
    rate,
    BINARY,
  ),
};
const table = new ConnectionTable((problem) => notify(problem));

/** Longest time between two statuses for which a rate is shown, in milliseconds. */
const LONGEST_GAP_MS = 10_000;

/** The previous status, and when it arrived. */
let last;
let lost = false;

function notify(text = "") {
  $("notice").hidden = text === "";
  // screen readers announce the text each time it is set
  if ($("notice-text").textContent !== text) $("notice-text").textContent = text;
}

function showState(text, className) {
  // screen readers announce the text each time it is set
  if ($("state").textContent === text) return;
  $("state").textContent = text;
  $("state").className = `pill ${className}`;
}

function showStatus(status) {
  const now = performance.now();
  const restarted = last !== undefined && last.status.started_at !== status.started_at;
  if (restarted) {
    notify(
      `The balancer was restarted at ${
        new Date(status.started_at).toLocaleTimeString()
      }: its counts begin at 0.`,
    );
  } else if (lost) notify();
  lost = false;
  showState(status.draining ? "draining" : "running", status.draining ? "bad" : "good");
  $("version").textContent = `${status.version} on ${status.listeners.join(", ")}, ${workersText(status)}`;
  if (status.config_loaded_at !== last?.status.config_loaded_at) {
    void showRoutePage(restarted ? 0 : routesAfter);
  }
  showRedis($("redis"), status.redis);
  const isRecent = last !== undefined && now - last.now < LONGEST_GAP_MS;
  showFigures(status, isRecent && !restarted ? last : undefined, now);
  last = { status, now };
  if (!document.hidden) void table.refresh(status.connections_active);
}

function workersText({ workers, worker_deaths: died }) {
  const text = `${count(workers)} worker${workers === 1 ? "" : "s"}`;
  return died > 0 ? `${text} (${count(died)} died and ${died === 1 ? "was" : "were"} replaced)` : text;
}

function showFigures(status, before, now) {
  const seconds = before && (now - before.now) / 1000;
  const since = (name) => before && Math.max(0, (status[name] - before.status[name]) / seconds);
  const [news, up, down] = ["connections_total", "bytes_up", "bytes_down"].map(since);
  $("tile-active").textContent = count(status.connections_active);
  $("tile-total").textContent = `${count(status.connections_total)} since the start`;
  $("tile-rate").textContent = news === undefined ? "–" : count(news);
  $("tile-up").textContent = up === undefined ? "–" : rate(up);
  $("tile-down").textContent = down === undefined ? "–" : rate(down);
  $("tile-up-total").textContent = `${bytes(status.bytes_up)} since the start`;
  $("tile-down-total").textContent = `${bytes(status.bytes_down)} since the start`;
  $("tile-refused").textContent = count(Object.values(status.refused).reduce((sum, value) => sum + value, 0));
  charts.active.add(status.connections_active);
  charts.rate.add(news);
  charts.bytes.add(up, down);
  showRefused($("refused"), status.refused);
}

/** Time after which a hidden page closes its stream, in milliseconds: browsers open only six connections to a host. */
const HIDDEN_MS = 60_000;

let events;

/** Opens the stream of events. The browser reopens a lost stream, but not one that was refused. */
function listen() {
  events = new EventSource("/api/v1/events");
  events.addEventListener("status", ({ data }) => showStatus(JSON.parse(data)));
  events.addEventListener("pools", ({ data }) => showPools($("pools"), $("pools-empty"), JSON.parse(data)));
  events.addEventListener("error", () => {
    const isRefused = events.readyState === EventSource.CLOSED;
    notify(isRefused ? REFUSED : SILENT);
    lost = true;
    showState("no connection", "bad");
    addGap();
    if (isRefused) setTimeout(() => paused || listen(), 2000);
  });
}

const SILENT = "The balancer does not answer. Trying again…";
const REFUSED = "The balancer refuses a stream of events: too many pages may be open. Trying again…";

function addGap() {
  for (const chart of Object.values(charts)) chart.add();
}

let hiding;
let paused = false;

/** Closes the stream if the page stays hidden, and opens it when the page is visible again. */
function followVisibility() {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(pause, HIDDEN_MS);
  else if (paused) {
    paused = false;
    listen();
  }
}

function pause() {
  paused = true;
  events.close();
  addGap();
}

/** Positions of the last rule before the page, and of the last one on it. */
let [routesAfter, routesNext] = [0, null];

/** Numbers of the latest requests: an answer to an earlier one may arrive later, and is not shown. */
const asked = { routes: 0, explanation: 0 };

/** Passes the answer to `show`, or the error to `fail`, unless there was another request of this kind meanwhile. */
async function ask(kind, question, show, fail) {
  const own = ++asked[kind];
  const [act, outcome] = await question.then((answer) => [show, answer], (error) => [fail, error.message]);
  if (own === asked[kind]) act(outcome);
}

function showRoutePage(after) {
  routesAfter = after;
  const { search } = Object.fromEntries(new FormData($("routes-form")));
  // the notice that the balancer does not answer stays until it does
  const fail = (problem) => lost || notify(problem);
  return ask(
    "routes",
    request("/routes", { search, after, limit: 20 }),
    (page) => showRules(page, after),
    fail,
  );
}

function showRules({ routes, total, next }, after) {
  // a reload may have removed rules
  if (routes.length === 0 && after > 0) return void showRoutePage(0);
  routesNext = next;
  showRoutes($("routes"), routes);
  $("routes-shown").textContent = `${count(routes.length)} shown of ${count(total)}`;
  $("routes-first").disabled = after === 0;
  $("routes-next").disabled = next === null;
}

function explain() {
  const { id, from } = Object.fromEntries(new FormData($("explain-form")));
  return ask(
    "explanation",
    request("/explain", { id, from }),
    (explanation) => showExplanation($("explanation"), explanation),
    (problem) => $("explanation").textContent = problem,
  );
}

const THEMES = ["system", "light", "dark"];

function setTheme(theme) {
  $("theme").textContent = `Theme: ${theme}`;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  for (const chart of Object.values(charts)) chart.draw();
}

document.addEventListener("visibilitychange", followVisibility);
$("notice-close").addEventListener("click", () => {
  notify();
  $("main").focus({ preventScroll: true });
});
$("theme").addEventListener("click", () => {
  const at = THEMES.indexOf(localStorage.getItem("theme") ?? "system");
  setTheme(THEMES[(at + 1) % THEMES.length]);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of Object.values(charts)) chart.draw();
});
$("routes-form").addEventListener("submit", (event) => event.preventDefault());
$("routes-form").addEventListener("input", () => void showRoutePage(0));
$("routes-first").addEventListener("click", () => void showRoutePage(0));
$("routes-next").addEventListener("click", () => void showRoutePage(routesNext ?? 0));
$("explain-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void explain();
});
setTheme(localStorage.getItem("theme") ?? "system");
listen();
