import type { RouteConfig } from "../../lib/config/config.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { concat, noise, receive, receiveAll, send } from "../bytes.ts";
import { type Client, refusalCode } from "../clients.ts";
import { configTo, overEach, startBalancer } from "../fixture.ts";
import { startEcho, startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";
import { LISTENERS, routeTo, serve } from "../serving.ts";
import { sized } from "../soak.ts";

type Serving = Awaited<ReturnType<typeof serve>>;

const UNKNOWN_ID = 4;
const ROUTES = sized(100_000);

/** An upstream that answers everything with its name. */
function startNamed(name: string) {
  return startUpstream(async (conn) => {
    await receive(conn, 1);
    await send(conn, new TextEncoder().encode(name));
  });
}

/** What the upstream of `id` is called. */
async function named({ connect }: Pick<Serving, "connect">, id: string): Promise<string> {
  using client = await connect();
  await send(client, encodeId(id));
  return new TextDecoder().decode(await receiveAll(client));
}

/** Writes as those do who replace a file whole. */
async function replace({ folder, file }: Serving, text: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/new`, text);
  await Deno.rename(`${folder}/new`, file);
}

/** How often the process has said `part`. */
function count({ balancer }: Serving, part: string): number {
  return balancer.stderr.text.split(part).length - 1;
}

/** Waits until the process has said `part` for the `times`-th time. */
async function said(serving: Serving, part: string, times = 1): Promise<void> {
  await until(() => count(serving, part) >= times, `it has said ${part}`, 20_000);
}

Deno.test("a file that is rewritten, renamed over or announced by SIGHUP is loaded", async () => {
  await using first = startNamed("first");
  await using second = startNamed("second");
  await using serving = await serve(routeTo(first.port));
  assertEquals(await named(serving, "1"), "first");
  await Deno.writeTextFile(serving.file, LISTENERS + routeTo(second.port));
  await said(serving, "0 routes added, 1 changed, 0 removed");
  assertEquals(await named(serving, "1"), "second");
  await replace(serving, LISTENERS + routeTo(first.port));
  await said(serving, "1 changed", 2);
  assertEquals(await named(serving, "1"), "first");
  serving.balancer.signal("SIGHUP");
  await said(serving, "0 routes added, 0 changed, 0 removed");
  assertEquals(await serving.balancer.end(), 0);
});

Deno.test("a symbolic link that is swapped, as a ConfigMap's is, brings the new file", async () => {
  await using first = startNamed("first");
  await using second = startNamed("second");
  await using serving = await serve(routeTo(first.port));
  const { folder } = serving;
  const version = async (name: string, port: number) => {
    await Deno.mkdir(`${folder}/${name}`);
    await Deno.writeTextFile(`${folder}/${name}/routes.yaml`, LISTENERS + routeTo(port));
    await Deno.symlink(name, `${folder}/..data_tmp`);
    await Deno.rename(`${folder}/..data_tmp`, `${folder}/..data`);
  };
  await version("..2026_01", second.port);
  await Deno.symlink("..data/routes.yaml", `${folder}/link`);
  await Deno.rename(`${folder}/link`, serving.file);
  await said(serving, "1 changed");
  assertEquals(await named(serving, "1"), "second");
  await version("..2026_02", first.port);
  await said(serving, "1 changed", 2);
  assertEquals(await named(serving, "1"), "first");
});

Deno.test("what is half-written, invalid or deleted leaves the last good table, with one line; the repaired file is taken", async () => {
  await using first = startNamed("first");
  await using second = startNamed("second");
  await using echo = startEcho();
  await using serving = await serve(
    `routes: [{ id: 1, host: 127.0.0.1, port: ${first.port} }, { id: e, host: 127.0.0.1, port: ${echo.port} }]\n`,
  );
  using beside = await serving.connect();
  await send(beside, encodeId("e"));
  await receive(beside, encodeId("e").length);
  const whole = LISTENERS + routeTo(second.port);
  const bad: Record<string, () => Promise<void>> = {
    "half-written": () => Deno.writeTextFile(serving.file, whole.slice(0, -9)),
    invalid: () => replace(serving, whole.replace("port: ", "port: 1000000")),
    "not UTF-8": () => Deno.writeFile(serving.file, Uint8Array.of(0xff, 0xfe)),
    "a listener's address taken": () =>
      replace(serving, whole.replace('0" }', `0" }, { address: "127.0.0.1:${first.port}" }`)),
    deleted: () => Deno.remove(serving.file),
  };
  let failures = 0;
  for (const [what, damage] of Object.entries(bad)) {
    await damage();
    await said(serving, "reload failed, keeping the previous configuration", ++failures);
    assertEquals(await named(serving, "1"), "first", what);
    await send(beside, Uint8Array.of(failures));
    assertEquals(await receive(beside, 1), Uint8Array.of(failures));
  }
  await Deno.writeTextFile(serving.file, whole);
  await said(serving, "reloaded");
  assertEquals(await named(serving, "1"), "second");
  assertEquals(count(serving, "reload failed"), failures, "one line each");
  assertStringIncludes(serving.balancer.stderr.text, `routes[0].port: found 1000000`);
  assertStringIncludes(serving.balancer.stderr.text, "there is no such file");
});

Deno.test("a storm of 500 SIGHUPs coalesces, and the last version wins", async () => {
  await using first = startNamed("first");
  await using last = startNamed("last");
  await using serving = await serve(routeTo(first.port));
  for (let round = 0; round < 500; round++) {
    if (round === 250) await replace(serving, LISTENERS + routeTo(last.port));
    serving.balancer.signal("SIGHUP");
  }
  await said(serving, "1 changed");
  assertEquals(await named(serving, "1"), "last");
  assert(count(serving, "reloaded") < 500, "not one reload a signal");
  assertEquals(await serving.balancer.end(), 0);
});

/** Clients that come and go, and clients that stream, until it is stopped. Rejects where one of them is cut. */
function startLoad(connect: () => Promise<Client>) {
  const id = encodeId("1");
  const block = noise(8 << 10);
  let stopped = false;
  const hello = async (client: Client) => {
    await send(client, id);
    assertEquals(await receive(client, id.length), id);
  };
  const connecting = async (): Promise<number> => {
    let served = 0;
    for (; !stopped; served++) {
      using client = await connect();
      await hello(client);
    }
    return served;
  };
  const streaming = async (): Promise<number> => {
    using client = await connect();
    await hello(client);
    let blocks = 0;
    for (; !stopped; blocks++) {
      await send(client, block);
      assertEquals((await receive(client, block.length)).toBase64(), block.toBase64());
    }
    await client.closeWrite();
    assertEquals((await receiveAll(client)).length, 0);
    return blocks;
  };
  const running = [connecting(), connecting(), ...Array.from({ length: 6 }, streaming)];
  return {
    async stop() {
      stopped = true;
      return await Promise.all(running);
    },
  };
}

overEach("1,000 reloads under load: no connection fails, none is cut", async (transport) => {
  await using upstream = startEcho();
  const config = configTo(upstream.port);
  await using balancer = startBalancer(config);
  const load = startLoad(() => balancer.connectOver(transport));
  for (let reload = 1; reload <= 1000; reload++) {
    const other: RouteConfig = { id: `x${reload}`, host: "127.0.0.1", port: 9, on_removal: "close" };
    const change = await balancer.balancer.reload({ ...config, routes: [...config.routes, other] });
    assertEquals([change.added, change.removed], [1, reload === 1 ? 0 : 1]);
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert((await load.stop()).every((count) => count > 0));
});

overEach("SIGHUPs and new files under load: no connection fails, none is cut", async (transport) => {
  await using upstream = startEcho();
  const table = (more: string) => `${LISTENERS}${routeTo(upstream.port)}${more}log: { access: false }\n`;
  await using serving = await serve("", { text: table("") });
  const load = startLoad(() => serving.connectOver(transport));
  for (let round = 1; round <= 100; round++) {
    if (round % 10 === 0) await replace(serving, table(`default: { host: 127.0.0.1, port: ${round} }\n`));
    serving.balancer.signal("SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert((await load.stop()).every((count) => count > 0));
  assert(count(serving, "reloaded") > 10);
  assertEquals(await serving.balancer.end(), 0);
});

Deno.test(`a table of ${ROUTES} routes is swapped while round trips continue`, async () => {
  await using upstream = startEcho();
  await using serving = await serve(routeTo(upstream.port));
  const routes = Array.from(
    { length: ROUTES },
    (_, index) => `  - { id: d${index}, host: n1.example.com, port: 7 }\n`,
  );
  const last = `  - { id: last, host: 127.0.0.1, port: ${upstream.port} }\n`;
  using client = await serving.connect();
  await send(client, encodeId("1"));
  await receive(client, encodeId("1").length);
  await replace(serving, `${LISTENERS}routes:\n${routes.join("")}${last}`);
  let longest = 0;
  const begun = performance.now();
  while (count(serving, "reloaded") === 0) {
    const start = performance.now();
    await send(client, Uint8Array.of(1));
    assertEquals((await receive(client, 1)).length, 1);
    longest = Math.max(longest, performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertStringIncludes(serving.balancer.stderr.text, `${ROUTES + 1} routes added, 0 changed, 1 removed`);
  using late = await serving.connect();
  await send(late, encodeId("last"));
  assertEquals(await receive(late, encodeId("last").length), encodeId("last"));
  // nearly all of the time where the file is parsed in the thread that serves, less than a hundredth of it here
  const took = performance.now() - begun;
  assert(longest < took / 3, `a round trip took ${longest} ms of ${took}`);
});

Deno.test("the command line's routes and listeners go on to count after a reload", async () => {
  await using fixed = startNamed("fixed");
  await using first = startNamed("first");
  await using second = startNamed("second");
  const route = (port: number) => `routes: [{ match: "*", host: 127.0.0.1, port: ${port} }]\n`;
  const flags = ["--route", `9=127.0.0.1:${fixed.port}`, "--listen", "127.0.0.1:0"];
  await using serving = await serve(route(first.port), { flags });
  await replace(serving, 'listeners: [{ address: "127.0.0.1:1" }]\n' + route(second.port));
  await said(serving, "1 changed");
  assertEquals(await named(serving, "9"), "fixed");
  assertEquals(await named(serving, "2"), "second");
});

Deno.test("a listener that is added is opened; one that is removed is closed, and its connections go on", async () => {
  await using upstream = startEcho();
  const [kept, other] = [freePort(), freePort()];
  const table = (...ports: number[]) =>
    `listeners: [${ports.map((port) => `{ address: "127.0.0.1:${port}" }`)}]\n${routeTo(upstream.port)}`;
  await using serving = await serve("", { text: table(kept) });
  const connect = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });
  const ID = encodeId("1");
  using early = await connect(kept);
  await send(early, ID);
  assertEquals(await receive(early, ID.length), ID);
  await replace(serving, table(other));
  await said(serving, "reloaded");
  await assertRejects(() => connect(kept), Deno.errors.ConnectionRefused);
  using late = await connect(other);
  for (const client of [early, late]) {
    await send(client, ID);
    assertEquals(await receive(client, ID.length), ID);
  }
  await replace(serving, table(other, kept));
  await said(serving, "reloaded", 2);
  using again = await connect(kept);
  await send(again, ID);
  assertEquals(await receive(again, ID.length), ID);
});

Deno.test("a listener that overlaps one that is open can't take its place: nothing changes, and the line says why", async () => {
  const port = freePort();
  const table = (host: string) => `listeners: [{ address: "${host}:${port}" }]\n${routeTo(9)}`;
  await using serving = await serve("", { text: table("127.0.0.1") });
  await replace(serving, table("0.0.0.0"));
  await said(serving, `this process listens on 127.0.0.1:${port} already`);
  using _client = await Deno.connect({ hostname: "127.0.0.1", port });
});

Deno.test("timeouts, forward_id and the log change for what comes after a reload", async () => {
  await using upstream = startEcho();
  await using serving = await serve(routeTo(upstream.port));
  const ID = encodeId("1");
  using before = await serving.connect();
  await send(before, ID);
  await receive(before, ID.length);
  await replace(
    serving,
    `${LISTENERS}${
      routeTo(upstream.port)
    }forward_id: false\ntimeouts: { idle: 200ms }\nlog: { format: json }\n`,
  );
  await said(serving, "reloaded");
  using after = await serving.connect();
  await send(after, concat(ID, Uint8Array.of(7)));
  assertEquals(
    [...await receiveAll(after)],
    [7],
    "the ID stays here, and the connection ends when it is quiet",
  );
  await said(serving, '"reason":"idle"');
  await send(before, Uint8Array.of(1));
  assertEquals(
    [...await receive(before, 1)],
    [1],
    "an open connection keeps the timeouts that it began with",
  );
});

Deno.test("a route that is removed keeps, drains or closes its connections, as its on_removal says", async () => {
  await using upstream = startEcho();
  await using mute = startUpstream(async (conn) => void await receiveAll(conn));
  const route = (id: string, rest: string, port = upstream.port) =>
    `  - { id: ${id}, host: 127.0.0.1, port: ${port}${rest} }\n`;
  const settings = `${LISTENERS}timeouts: { drain: 800ms }\nroutes:\n`;
  const stays = route("stays", ", on_removal: close");
  const goes = route("keep", "") + route("drain", ", on_removal: drain") +
    route("close", ", on_removal: close") +
    route("mute", ", on_removal: close", mute.port);
  await using serving = await serve("", { text: settings + stays + goes });
  const open = async (id: string) => {
    const client = await serving.connect();
    await send(client, encodeId(id));
    if (id !== "mute") await receive(client, encodeId(id).length);
    return client;
  };
  using kept = await open("keep");
  using drained = await open("drain");
  using closed = await open("close");
  using silent = await open("mute");
  using staying = await open("stays");
  const beat = async (client: Deno.TcpConn) => {
    await send(client, Uint8Array.of(5));
    return [...await receive(client, 1)];
  };
  const asked = performance.now();
  await replace(serving, settings + stays);
  await said(serving, "4 removed; 3 connections affected");
  assertEquals((await receiveAll(closed)).length, 0);
  assertEquals(refusalCode(await receiveAll(silent)), 7, "nothing had come from its upstream, so it is told");
  assertEquals(await beat(drained), [5]);
  assertEquals((await receiveAll(drained)).length, 0);
  assert(performance.now() - asked > 795, "not before timeouts.drain is over");
  assertEquals(await beat(kept), [5]);
  assertEquals(await beat(staying), [5]);
  using unknown = await serving.connect();
  await send(unknown, encodeId("close"));
  assertEquals(refusalCode(await receiveAll(unknown)), UNKNOWN_ID);
  await said(serving, "reason=kicked", 2);
  await said(serving, "reason=drain");
});

Deno.test("limits and duplicate_id that a reload brings count what is open already", async () => {
  await using upstream = startEcho();
  const config = configTo(upstream.port);
  await using balancer = startBalancer(config);
  const ID = encodeId("1");
  const join = async () => {
    const client = await balancer.connect();
    await send(client, ID);
    return client;
  };
  using first = await join();
  await receive(first, ID.length);
  for (
    const stricter of [
      { duplicate_id: "reject" as const },
      { limits: { ...config.limits, connections_per_id: 1 } },
      { limits: { ...config.limits, connections_per_ip: 1 } },
    ]
  ) {
    await balancer.balancer.reload({ ...config, ...stricter });
    using second = await join();
    await second.closeWrite();
    assertEquals(refusalCode(await receiveAll(second)), 6, JSON.stringify(stricter));
  }
  await balancer.balancer.reload({ ...config, duplicate_id: "replace" });
  using second = await join();
  assertEquals((await receiveAll(first)).length, 0, "it gives way");
  assertEquals(await receive(second, ID.length), ID);
});

Deno.test("a client that was silent during a reload is routed by the new table", async () => {
  await using first = startNamed("first");
  await using second = startNamed("second");
  await using serving = await serve(routeTo(first.port));
  using client = await serving.connect();
  await replace(serving, LISTENERS + routeTo(second.port));
  await said(serving, "reloaded");
  await send(client, encodeId("1"));
  assertEquals(new TextDecoder().decode(await receiveAll(client)), "second");
});

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
