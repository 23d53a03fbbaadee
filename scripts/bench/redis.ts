// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Routes in Redis: connections a second and processor time for distinct IDs, beside the same connections by a glob and
 * by a table, and how soon three instances use a changed route.
 *
 *     deno run --allow-all --no-prompt scripts/bench/redis.ts [NUMBER OF IDS] [SECONDS OF A MEASUREMENT] [ROUNDS]
 *
 * Linux only. Needs cc and redis-server.
 */

import { encodeId } from "../../lib/frame/tlv.ts";
import { Link } from "../../lib/route/redis/link.ts";
import { sleep } from "../../lib/util/async.ts";
import { median } from "../statistics.ts";
import { compileLoad, freePort, Server } from "./processes.ts";

const CONNECTIONS = 64;
const CHANGES_A_SECOND = 100;
const KEY = "switchyard:routes";
/** IDs that are written in one command. */
const PART = 10_000;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

const [ids = 100_000, seconds = 8, rounds = 3] = Deno.args.map(Number);
const digits = String(ids - 1).length;
const idOf = (number: number) => `device-${String(number).padStart(digits, "0")}`;
const folder = await Deno.makeTempDir({ prefix: "switchyard-bench-" });
try {
  const load = await compileLoad(folder);
  const echo = freePort();
  await using _echo = await Server.start([load, "upstream", `${echo}`, "echo"], echo, `${folder}/echo.log`);
  await using redis = await startRedis();
  await fill(redis.link, echo);
  await measureConnections(load, echo, redis);
  await measureChanges(redis);
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** A server without persistence, and a connection to it. */
async function startRedis() {
  const port = freePort();
  const command = ["redis-server", "--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const server = await Server.start(command, port, `${folder}/redis.log`);
  const options = { login: undefined, tls: undefined, database: 0, timeout: 5000 };
  const link = await Link.open({ host: "127.0.0.1", port }, options);
  return {
    port,
    link,
    async [Symbol.asyncDispose]() {
      link[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function fill(link: Link, upstream: number): Promise<void> {
  const target = `127.0.0.1:${upstream}`;
  for (let first = 0; first < ids; first += PART) {
    const numbers = Array.from({ length: Math.min(PART, ids - first) }, (_, index) => first + index);
    await link.command("HSET", KEY, ...numbers.flatMap((number) => [idOf(number), target]));
    const lines = numbers.map((number) => `${idOf(number)}\t127.0.0.1\t${upstream}\n`).join("");
    await Deno.writeTextFile(`${folder}/ids.tsv`, lines, { append: true });
  }
}

/** A balancer whose configuration has these lines. */
async function startBalancer(name: string, lines: string): Promise<Server> {
  const port = freePort();
  const file = `${folder}/${name}.yaml`;
  const listeners = `listeners: [{ address: "127.0.0.1:${port}" }]\nlog: { access: false }\n`;
  await Deno.writeTextFile(file, `${listeners}${lines}\n`);
  const flags = ["--v8-flags=--max-semi-space-size=2", "--allow-net", "--allow-read", "--no-prompt"];
  const command = [Deno.execPath(), "run", "--no-check", ...flags, MAIN, "serve", "-c", file];
  const server = await Server.start(command, port, `${folder}/${name}.log`);
  // it probes the limit of open files, and the first requests compile code
  await sleep(Math.min(2000, seconds * 500));
  return server;
}

async function measureConnections(
  load: string,
  echo: number,
  redis: { port: number; link: Link },
): Promise<void> {
  const url = `routes: []\nredis: { url: "redis://127.0.0.1:${redis.port}", cache_size: ${ids * 2} }`;
  const figures = new Map<string, Figures[]>();
  const measure = async (name: string, server: Server) => {
    const one = await connect(load, server);
    figures.set(name, [...figures.get(name) ?? [], one]);
    console.log(`${name}: ${textOf(one)}`);
  };
  for (let round = 0; round < rounds; round++) {
    {
      await using server = await startBalancer(
        "glob",
        `routes: [{ match: "*", host: 127.0.0.1, port: ${echo} }]`,
      );
      await measure("a glob", server);
    }
    {
      await using server = await startBalancer("table", `routes: []\ntables: [ids.tsv]`);
      await measure("a table", server);
    }
    await using server = await startBalancer("redis", url);
    await measure("Redis, each ID for the first time", server);
    await measure("Redis, cached", server);
    await using _changes = changing(redis.link);
    await measure(`Redis, ${CHANGES_A_SECOND} changes a second`, server);
  }
  const [base] = figures.values();
  for (const [name, all] of figures) {
    const ratios = all.map(({ perSecond }, round) => perSecond / (base?.[round]?.perSecond ?? 0));
    const cpu = all.map(({ cpu }, round) => cpu / (base?.[round]?.cpu ?? 0));
    console.log(
      `median: ${name}: ${ratio(ratios)} of the connections a second of a glob, ${
        ratio(cpu)
      } of its CPU time`,
    );
  }
}

function ratio(ratios: readonly number[]): string {
  return median(ratios).toFixed(2);
}

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  /** Microseconds of processor time for a connection. */
  readonly cpu: number;
}

function textOf({ perSecond, p50, p99, errors, cpu }: Figures): string {
  const ms = (us: number) => (us / 1000).toFixed(1);
  return `${perSecond.toFixed(0)} connections/s, ${cpu.toFixed(0)} us of CPU each, p50 ${ms(p50)} ms, ` +
    `p99 ${ms(p99)} ms, ${errors} errors`;
}

async function connect(load: string, server: Server): Promise<Figures> {
  const id = `device-${"#".repeat(digits)}`;
  const args = ["connect", server.port, id, CONNECTIONS, seconds].map(String);
  const before = server.cpuSeconds;
  const { stdout } = await new Deno.Command(load, { args }).output();
  const cpu = server.cpuSeconds - before;
  const { ops, per_s, p50_us, p99_us, errors } = JSON.parse(new TextDecoder().decode(stdout));
  return { perSecond: per_s, p50: p50_us, p99: p99_us, errors, cpu: cpu / ops * 1e6 };
}

/** Changes the hash again and again, until it is disposed of. */
function changing(link: Link): AsyncDisposable {
  const stop = new AbortController();
  const done = (async () => {
    for (let change = 0; !stop.signal.aborted; change++) {
      await link.command("HSET", KEY, "changing", `127.0.0.1:${1 + change % 9}`);
      await sleep(1000 / CHANGES_A_SECOND, stop.signal);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

/** Time from the acknowledgement of a change until a connection at each of three instances uses it. */
async function measureChanges({ port, link }: { port: number; link: Link }): Promise<void> {
  await using one = startNamed("1");
  await using two = startNamed("2");
  await using stack = new AsyncDisposableStack();
  const lines = `routes: []\nredis: { url: "redis://127.0.0.1:${port}" }`;
  const instances: Server[] = [];
  for (const name of ["a", "b", "c"]) instances.push(stack.use(await startBalancer(name, lines)));
  const times: number[] = [];
  for (let change = 0; change < 100; change++) {
    const target = change % 2 === 0 ? one : two;
    await link.command("HSET", KEY, "moving", `127.0.0.1:${target.port}`);
    const since = performance.now();
    await Promise.all(instances.map(async (instance) => {
      while (await ask(instance.port) !== target.name);
      times.push(performance.now() - since);
    }));
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))]?.toFixed(1);
  console.log(
    `a change, until used by three instances: median ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`,
  );
}

/** The upstream that a connection of the ID `moving` reaches. */
async function ask(port: number): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(encodeId("moving"));
  const buffer = new Uint8Array(1);
  await conn.read(buffer);
  return new TextDecoder().decode(buffer);
}

/** An upstream that answers with its name. */
function startNamed(name: string) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const done = (async () => {
    for await (const conn of listener) {
      using socket = conn;
      await socket.read(new Uint8Array(256));
      await socket.write(new TextEncoder().encode(name));
    }
  })();
  return {
    name,
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await done;
    },
  };
}
