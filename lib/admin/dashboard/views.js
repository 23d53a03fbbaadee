/** Renders the parts of the page that show the current state. */

import { count, visible } from "./format.js";

/** An element with `text`, never markup. */
export function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className !== "") made.className = className;
  return made;
}

/** A cell. On narrow screens `label` is shown beside it. */
export function cell(label, content, className = "") {
  const made = element("td", "", className);
  made.dataset.label = label;
  made.append(content);
  return made;
}

/** Replaces the rows of a table. @param rows A list of cells for each. */
export function fill(table, rows) {
  table.tBodies[0].replaceChildren(...rows.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells);
    return row;
  }));
}

/** Shows the refusals. @param refused Counts by reason. */
export function showRefused(table, refused) {
  const rows = Object.entries(refused).toSorted(([, one], [, other]) => other - one);
  fill(table, rows.map(([reason, value]) => [cell("Reason", reason), cell("Count", count(value), "number")]));
}

/** Shows the pools and their servers. */
export function showPools(table, empty, pools) {
  table.hidden = pools.length === 0;
  empty.hidden = pools.length > 0;
  fill(table, pools.flatMap((pool) => pool.servers.map((server) => serverRow(pool, server))));
  const { parentElement: place } = table;
  // the keyboard reaches it only if it scrolls
  place.tabIndex = place.scrollHeight > place.clientHeight ? 0 : -1;
}

function serverRow(pool, server) {
  const share = document.createElement("meter");
  share.value = server.share;
  share.setAttribute("aria-label", `share of ${server.upstream}`);
  const shared = document.createElement("span");
  shared.append(share, `${Math.round(server.share * 100)} %`);
  const isUp = server.state === "up";
  const health = element("span", `${isUp ? "●" : "○"} ${server.state}`, isUp ? "good" : "bad");
  return [
    cell("Pool", `${pool.name} (${pool.strategy})`),
    cell("Upstream", server.upstream + (server.backup ? " (backup)" : "")),
    cell("Health", health),
    cell("Weight", String(Math.round(server.weight * 100) / 100), "number"),
    cell("Connections", count(server.connections_active), "number"),
    cell("Share", shared),
  ];
}

/** Shows rules of the routing table. */
export function showRoutes(table, routes) {
  fill(
    table,
    routes.map(({ rule, target }) => [cell("Rule", visible(rule), "mono"), cell("Target", target, "mono")]),
  );
}

/** Shows the state of Redis, if it is configured. */
export function showRedis(place, redis) {
  place.hidden = redis === null;
  if (redis === null) return;
  place.textContent = `Redis: ${redis.text}; ${count(redis.cached_ids)} IDs cached`;
  place.className = redis.up ? "muted" : "bad";
}

/** Shows how a connection would be routed or refused. */
export function showExplanation(place, { refused, rules, candidates, from }) {
  const verdict = refused
    ? element("p", `The client gets ${refused.reason}: ${visible(refused.why)}`, "bad")
    : element("p", "The connection is accepted.", "good");
  place.replaceChildren(
    verdict,
    ...list("Rules", rules.map(({ rule, target, verdict }) => `${visible(rule)} → ${target}: ${verdict}`)),
    ...list("Servers", candidates.map(({ upstream, why }) => `${upstream}: ${why}`)),
    ...list("Admission", from?.checks ?? []),
  );
}

function list(title, lines) {
  if (lines.length === 0) return [];
  const made = document.createElement("ul");
  made.append(...lines.map((line) => element("li", line)));
  return [element("p", title), made];
}
