import { topScreen, type TopState } from "../../lib/cli/top_screen.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

const status = {
  version: "1.2.3",
  deno: "2.9.6",
  started_at: "2026-01-01T00:00:00.000Z",
  config_loaded_at: "2026-01-01T00:00:00.000Z",
  uptime_ms: 10_000,
  draining: false,
  workers: 2,
  worker_deaths: 1,
  listeners: ["127.0.0.1:8888"],
  redis: null,
  routes: 3,
  connections_active: 2,
  connections_total: 30,
  bytes_up: 4096,
  bytes_down: 2048,
  refused: { bad_frame: 0, unknown_id: 7 },
};

const LOOKUPS = { cached: 0, found: 0, unknown: 0, stale: 0, unavailable: 0, invalid: 0 };

const connection = {
  conn: 1,
  client: "127.0.0.1:5000",
  client_subject: null,
  listener: "127.0.0.1:8888",
  transport: "tcp",
  state: "relaying",
  id: "a",
  route: "id a",
  upstream: "127.0.0.1:7777",
  attempts: 1,
  age_ms: 61_000,
  bytes_up: 1024,
  bytes_down: 0,
} as const;

const server = { state: "up", backup: false, weight: 1, connections_active: 2, share: 1 } as const;

const state: TopState = {
  status,
  before: { ...status, uptime_ms: 8000, connections_total: 20, bytes_up: 0 },
  pools: [{
    name: "eu",
    strategy: "hash",
    panicking: false,
    connections_active: 2,
    max_connections: 0,
    servers: [{ upstream: "127.0.0.1:7777", ...server }],
  }],
  connections: [connection],
  order: "bytes",
};

Deno.test("the screen has totals, rates, refusals, pools and connections", () => {
  const text = topScreen(state, { columns: 130, rows: 20 }).join("\n");
  assertStringIncludes(text, "Switchyard 1.2.3  running  uptime 10 s  routes 3  workers 2 (1 died)\n");
  assertStringIncludes(text, "connections 2  new 5/s  up 2.0 KiB/s  down 0 B/s\n");
  assertStringIncludes(text, "refused unknown_id 7\n");
  assertStringIncludes(text, "pool eu  127.0.0.1:7777  up  2  100 %");
  assertStringIncludes(text, "1 min 1 s   1.0 KiB       0 B\n");
  assertStringIncludes(text, "(by bytes)");
});

for (
  const [columns, titles] of [
    [50, "NO. ID UP DOWN"],
    [80, "NO. ID UPSTREAM AGE UP DOWN"],
    [100, "NO. ID UPSTREAM AGE UP DOWN"],
    [120, "NO. ID CLIENT UPSTREAM STATE AGE UP DOWN"],
  ] as const
) {
  Deno.test(`in ${columns} columns connections have ${titles}, and IDs the remaining room`, () => {
    const id = "x".repeat(60);
    const lines = topScreen({ ...state, connections: [{ ...connection, id }] }, { columns, rows: 12 });
    const [title = "", line = ""] = lines.filter((line) =>
      / UP {2,}DOWN$/.test(line) || line.includes("xxx")
    );
    assertEquals(title.trim().split(/ +/).join(" "), titles);
    assert(/ 1\.0 KiB +0 B$/.test(line), line);
    assert(line.length < columns && line.length > columns - 20, `${line.length}`);
  });
}

for (const [columns, titles] of [[30, "ID DOWN"], [20, "ID"]] as const) {
  Deno.test(`in ${columns} columns connections have ${titles}, and no column is cut off`, () => {
    const lines = topScreen(state, { columns, rows: 12 });
    const title = lines.find((line) => line.startsWith("ID"));
    assertEquals(title?.trim().split(/ +/).join(" "), titles);
  });
}

for (const [columns, rows] of [[130, 20], [60, 10], [20, 3], [1, 1]] as const) {
  Deno.test(`it fills ${columns} columns and ${rows} rows, and no more, for any IDs`, () => {
    const ids = ['"'.repeat(255), "\u202e\x1b[2J\n", "漢字".repeat(20), "👩‍🚀e\u0301"];
    const connections = ids.map((id) => ({ ...connection, id }));
    const lines = topScreen({ ...state, connections }, { columns, rows });
    assertEquals(lines.length, rows);
    // deno-lint-ignore no-control-regex -- none may get through
    for (const line of lines) assert(!/[\x00-\x1f\x7f\p{Cf}]/u.test(line), JSON.stringify(line));
    for (const line of lines.filter((line) => /^[\x20-\x7e…]*$/.test(line))) assert(line.length <= columns);
  });
}

Deno.test("with routes in Redis, the screen has its state", () => {
  const redis = {
    up: false,
    serving: true,
    text: "unavailable for 3s: refused",
    cached_ids: 1200,
    lookups: LOOKUPS,
  };
  const lines = topScreen({ ...state, status: { ...status, redis } }, { columns: 80, rows: 12 });
  assertEquals(lines[3], "redis unavailable for 3s: refused  1,200 IDs cached");
});

Deno.test("an error is shown in place of the keys", () => {
  const lines = topScreen({ ...state, before: undefined, problem: "no answer" }, { columns: 80, rows: 12 });
  assertEquals(lines.at(-1), "no answer");
  assertStringIncludes(lines.join("\n"), "new 0/s");
});
