/** `switchyard serve` with two workers, as a process: from source, or the executable. */

import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { receive, receiveAll, send } from "../bytes.ts";
import { type Client, identify } from "../clients.ts";
import { count, LISTENERS, replace, routeTo, said, serve, type Serving } from "../serving.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";

/** So many connections that all go to one worker only once in 2^23 runs. */
const MANY = 24;

const TWO = `${LISTENERS}admin: { address: "127.0.0.1:0" }\nworkers: 2\n`;

async function adminUrl({ balancer }: Serving): Promise<string> {
  await balancer.stderr.until("admin API at ");
  await balancer.stderr.until("/\n");
  const [, url] = /admin API at (http:\S+)\/\n/.exec(balancer.stderr.text) ?? [];
  assert(url !== undefined, balancer.stderr.text);
  return url;
}

async function join(serving: Serving, id = "1"): Promise<Client> {
  const client = await serving.connect();
  await identify(client, id);
  return client;
}

async function json(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  return await response.json();
}

Deno.test("two workers serve, show, reload, close and drain as one", async () => {
  await using upstream = startEcho();
  await using serving = await serve("", { text: TWO + routeTo(upstream.port) });
  const url = await adminUrl(serving);
  await serving.balancer.stderr.until("1 listener, 2 workers, at most");
  assertEquals(count(serving, "listening on"), 1);

  const clients = await Promise.all(Array.from({ length: MANY }, () => join(serving)));
  assertEquals((await json(`${url}/api/v1/status`)).connections_active, MANY);
  const { connections, next } = await json(`${url}/api/v1/connections?limit=10`);
  assertEquals(connections.length, 10);
  const { connections: others } = await json(`${url}/api/v1/connections?limit=100&after=${next}`);
  const listed = [...connections, ...others].map(({ conn }) => conn);
  assertEquals(new Set(listed).size, MANY, `each once: ${listed}`);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assertStringIncludes(metrics, `switchyard_connections_active{transport="tcp"} ${MANY}\n`);
  assertMatch(metrics, new RegExp(`switchyard_connections_total\\{[^}]*transport="tcp"\\} ${MANY}\n`));
  assertStringIncludes(metrics, "switchyard_workers 2\n");

  const other = `${
    routeTo(upstream.port).slice(0, -3)
  } }, { id: 2, host: 127.0.0.1, port: ${upstream.port} }]\n`;
  await replace(serving, `${TWO.replace("workers: 2", "workers: 3")}${other}`);
  await said(serving, "reloaded");
  await said(serving, "workers has changed: this takes effect after a restart");
  for (let tries = 0; tries < MANY; tries++) (await join(serving, "2")).close();

  assertEquals(await json(`${url}/api/v1/connections?id=1`, { method: "DELETE" }), { closed: MANY });
  for (const client of clients) {
    await receiveAll(client);
    client.close();
  }
  const last = await join(serving);
  serving.balancer.signal("SIGTERM");
  await said(serving, "draining: 1 connections");
  await send(last, new Uint8Array([7]));
  assertEquals(await receive(last, 1), new Uint8Array([7]));
  last.close();
  assertEquals(await serving.balancer.status(), 0, serving.balancer.stderr.text);
  const lines = serving.balancer.stderr.text.trimEnd().split("\n");
  for (const line of lines) assertMatch(line, /^\d{4}-\S+Z [A-Z]+ +\S/, "every line is whole");
  assertEquals(count(serving, " access conn="), 2 * MANY + 1);
});

Deno.test("a second signal ends workers at once", async () => {
  await using upstream = startEcho();
  await using serving = await serve("", { text: TWO + routeTo(upstream.port) });
  const clients = await Promise.all(Array.from({ length: MANY }, () => join(serving)));
  serving.balancer.signal("SIGTERM");
  await said(serving, "draining");
  serving.balancer.signal("SIGTERM");
  await until(() => count(serving, "at once") === 1, "it ends");
  for (const client of clients) {
    await receiveAll(client).catch(() => {}); // some are reset
    client.close();
  }
  assertEquals(await serving.balancer.status(), 1);
});

Deno.test("--workers overrides the file", async () => {
  await using upstream = startEcho();
  const text = LISTENERS + routeTo(upstream.port);
  await using serving = await serve("", { text, flags: ["--workers", "2"] });
  await serving.balancer.stderr.until("2 workers");
  using client = await serving.connect();
  await send(client, encodeId("1"));
  assertEquals((await receive(client, 6)).length, 6);
});
