/** A balancer without free file descriptors, in a process with a limit of its own. */

import { assertEquals, assertStringIncludes } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { routeTo, serve } from "../serving.ts";

const LIMIT = 96;
const place = { command: ["prlimit", `--nofile=${LIMIT}:${LIMIT}`] };
const UPSTREAM_UNAVAILABLE = 5;
const ignore = Deno.build.os !== "linux";

type Serving = Awaited<ReturnType<typeof serve>>;

/** Descriptors that count towards the limit; the platform has one with a number far above it. */
function openFiles({ balancer }: Serving): number {
  return [...Deno.readDirSync(`/proc/${balancer.pid}/fd`)].filter(({ name }) => Number(name) < LIMIT).length;
}

/** The same once it no longer changes, since the process itself opens files briefly. */
async function settledFiles(serving: Serving): Promise<number> {
  const seen: number[] = [];
  await until(
    () => seen.unshift(openFiles(serving)) > 3 && new Set(seen.slice(0, 3)).size === 1,
    "it settles",
  );
  return seen[0] ?? 0;
}

async function echoes(client: Deno.TcpConn, bytes = ID): Promise<void> {
  await send(client, bytes);
  assertEquals(await receive(client, bytes.length), bytes);
}

const failures = ({ balancer }: Serving) => balancer.stderr.text.split("cannot accept").length - 1;

Deno.test({
  name: "without a free file descriptor for accepting it waits, logs that once, and recovers",
  ignore,
  async fn() {
    await using upstream = startEcho();
    const yaml = `${
      routeTo(upstream.port)
    }timeouts: { id: 1m }\nlog: { access: false }\nlimits: { connections: 10000 }\n`;
    await using serving = await serve(yaml, { place });
    using beside = await serving.connect();
    await echoes(beside);
    const crowd = await Promise.all(Array.from({ length: LIMIT + 30 }, serving.connect));
    await until(() => failures(serving) === 1, "it has no descriptor left");
    assertEquals(openFiles(serving), LIMIT);
    for (let round = 0; round < 8; round++) {
      // each that ends makes room for one other
      crowd.pop()?.close();
      crowd.shift()?.close();
      await echoes(beside);
    }
    for (const client of crowd) client.close();
    using late = await serving.connect();
    await echoes(late);
    await echoes(beside);
    assertEquals(failures(serving), 1, "one line a burst, not one a failure");
    await until(() => openFiles(serving) < LIMIT / 2, "the descriptors are given back");
    assertStringIncludes(serving.balancer.stderr.text, "Too many open files");
  },
});

Deno.test({
  name: "without a free file descriptor for dialing it refuses the client, and recovers",
  ignore,
  async fn() {
    await using upstream = startEcho();
    await using serving = await serve(
      `${routeTo(upstream.port)}timeouts: { id: 1m }\nlimits: { connections: 10000 }\n`,
      { place },
    );
    using beside = await serving.connect();
    await echoes(beside);
    const crowd: Deno.TcpConn[] = [];
    for (let left = LIMIT; left > 1; left = LIMIT - await settledFiles(serving)) {
      const one = await serving.connect();
      crowd.push(one);
      // a relayed connection takes two
      if (left > 3) await echoes(one);
      else await until(() => openFiles(serving) > LIMIT - left, "the silent client is accepted");
    }
    using client = await serving.connect();
    await send(client, ID);
    assertEquals(refusalCode(await receiveAll(client)), UPSTREAM_UNAVAILABLE);
    await echoes(beside);
    for (const silent of crowd) silent.close();
    await until(() => openFiles(serving) < LIMIT / 2, "the descriptors are given back");
    using late = await serving.connect();
    await echoes(late);
    await echoes(beside);
    await serving.balancer.stderr.until("Too many open files");
  },
});

Deno.test({
  name: "without a free file descriptor the admin API logs that once, and answers again afterwards",
  ignore,
  async fn() {
    const yaml = `${
      routeTo(9)
    }timeouts: { id: 1m }\nlog: { access: false }\nlimits: { connections: 10000 }\n`;
    await using serving = await serve(yaml, { place, flags: ["--admin", "127.0.0.1:0"] });
    await serving.balancer.stderr.until("admin API at ");
    await serving.balancer.stderr.until("/\n");
    const [, url] = /admin API at (http:\S+\d)\//.exec(serving.balancer.stderr.text) ?? [];
    const asked = async () => {
      // a connection of its own: one that is kept open takes no descriptor
      const response = await fetch(`${url}/healthz`, { headers: { connection: "close" } }).catch(() =>
        undefined
      );
      return await response?.text();
    };
    assertEquals(await asked(), "ok\n");
    const crowd = await Promise.all(Array.from({ length: LIMIT + 30 }, serving.connect));
    await until(() => failures(serving) === 1, "it has no descriptor left");
    for (let round = 0; round < 3; round++) assertEquals(await asked(), undefined);
    await serving.balancer.stderr.until("the admin API cannot accept: ");
    for (const client of crowd) client.close();
    let answer: string | undefined;
    while (answer === undefined) answer = await asked();
    assertEquals(answer, "ok\n");
    await serving.balancer.stderr.until("the admin API answers again");
    assertEquals(serving.balancer.stderr.text.match(/the admin API cannot accept/g)?.length, 1);
  },
});
