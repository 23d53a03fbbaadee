// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * A million IDs from a table file: time and memory to load them, the time of a look-up, and how long a reload holds up
 * the thread that relays and the round trips of clients. Where HAProxy is installed, it loads the same IDs as a map.
 *
 *     deno run --allow-all --no-prompt scripts/bench/tables.ts [NUMBER OF IDS]
 *
 * Not under a realtime priority: the thread that builds the table would keep its core from those that relay.
 */

import { Balancer } from "../../lib/balancer.ts";
import { BackgroundLoader } from "../../lib/config/load.ts";
import type { RouteTable } from "../../lib/route/table.ts";

const LOOKUPS = 100_000;
const PART = 10_000;
const ECHO_ID = "echo";
const CONNECTIONS = 2;
const MAIN = new URL("../../main.ts", import.meta.url);

const count = Number(Deno.args[0] ?? 1_000_000);
const haproxyPort = freePort();
const folder = await Deno.makeTempDir();
try {
  await using echo = await startEcho();
  await writeFiles(echo.port);
  await measureSwitchyard();
  await measureHaproxy();
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** In parts: garbage from making the files would count as memory in use before. */
async function writeFiles(echoPort: number): Promise<void> {
  for (let start = 0; start < count; start += PART) {
    const part = Array.from({ length: Math.min(PART, count - start) }, (_, index) => targetOf(start + index));
    const tsv = part.map(([id, host, port]) => `${id}\t${host}\t${port}\n`).join("");
    await Deno.writeTextFile(`${folder}/ids.tsv`, tsv, { append: true });
    const map = part.map(([id, host, port]) => `${id} ${host}:${port}\n`).join("");
    await Deno.writeTextFile(`${folder}/ids.map`, map, { append: true });
  }
  const listeners = `listeners: [{ address: 127.0.0.1:0 }]\nlog: { access: false }\n` +
    `routes: [{ id: ${ECHO_ID}, host: 127.0.0.1, port: ${echoPort} }]\n`;
  await Deno.writeTextFile(`${folder}/empty.yaml`, listeners);
  await Deno.writeTextFile(`${folder}/routes.yaml`, `${listeners}tables: [ids.tsv]\n`);
  await Deno.writeTextFile(
    `${folder}/haproxy.cfg`,
    `defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\nfrontend f\n` +
      `  bind 127.0.0.1:${haproxyPort}\n` +
      `  http-request return status 200 hdr x %[path,map(${folder}/ids.map)]\n`,
  );
}

async function measureSwitchyard(): Promise<void> {
  using loader = new BackgroundLoader();
  loader.start();
  await using balancer = Balancer.start(await loader.load(`${folder}/empty.yaml`));
  const before = memory("self").now;
  for (const what of ["load", "reload"]) {
    const stall = watchStalls();
    const started = performance.now();
    await reload(balancer, loader);
    const ms = performance.now() - started;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { now, peak } = memory("self");
    console.log(
      `switchyard ${what}: ${ms.toFixed(0)} ms, ${now - before} MiB more resident (peak ${peak - before}), ` +
        `thread held up for ${stall().toFixed(0)} ms at most`,
    );
  }
  measureLookups(balancer);
  await measureRoundTrips(balancer, loader);
}

async function reload(balancer: Balancer, loader: BackgroundLoader): Promise<void> {
  const { tableData } = balancer.engine.config;
  const config = await loader.load(`${folder}/routes.yaml`, tableData && { previous: tableData });
  await balancer.reload(config);
}

/** Clients in a process of their own, first for comparison without a reload, then while one reload follows another. */
async function measureRoundTrips(balancer: Balancer, loader: BackgroundLoader): Promise<void> {
  const port = balancer.addresses[0]?.port ?? 0;
  const seconds = count < 100_000 ? 0.1 : 5;
  console.log(`switchyard round trips without a reload: ${await roundTrips(port, seconds).text}`);
  const load = roundTrips(port, seconds);
  let reloads = 0;
  for (; !load.ended; reloads++) await reload(balancer, loader);
  console.log(`switchyard round trips during ${reloads} reloads: ${await load.text}`);
}

function roundTrips(port: number, seconds: number) {
  const output = command([
    "bench",
    `--id=${ECHO_ID}`,
    `--connect=127.0.0.1:${port}`,
    `--connections=${CONNECTIONS}`,
    `--duration=${seconds}s`,
  ]).output();
  const load = {
    ended: false,
    text: output.then(({ stdout }) => {
      load.ended = true;
      const text = new TextDecoder().decode(stdout);
      return `${/\S+ round trips in all/.exec(text)?.[0]}, ${/latency in ms.*/.exec(text)?.[0]}`;
    }),
  };
  return load;
}

/** An upstream in its own process. */
async function startEcho() {
  const port = freePort();
  const process = command(["upstream", "--mode=echo", `--listen=127.0.0.1:${port}`]).spawn();
  await listening(port);
  return {
    port,
    async [Symbol.asyncDispose]() {
      process.kill();
      await process.status;
    },
  };
}

function command(args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-net", "--allow-read", MAIN.href, ...args],
    stdout: "piped",
    stderr: "null",
  });
}

function measureLookups({ engine }: Balancer): void {
  const table: RouteTable = engine.snapshot.table;
  const ids = Array.from({ length: LOOKUPS }, (_, index) => idOf((index * 7919) % count));
  const times = Array.from({ length: 7 }, () => {
    const started = performance.now();
    const found = ids.filter((id) => table.find(id) !== undefined).length;
    if (found !== LOOKUPS) throw new Error(`${LOOKUPS - found} IDs were not found`);
    return (performance.now() - started) * 1e6 / LOOKUPS;
  }).sort((a, b) => a - b);
  console.log(`switchyard look-up: ${times[3]?.toFixed(0)} ns, the median of 7 rounds`);
}

async function measureHaproxy(): Promise<void> {
  const started = performance.now();
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command("haproxy", { args: ["-db", "-f", `${folder}/haproxy.cfg`], stderr: "null" })
      .spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return console.log("haproxy: skipped, since it is not installed");
  }
  await listening(haproxyPort);
  const { now, peak } = memory(process.pid);
  const ms = performance.now() - started;
  console.log(`haproxy start with the map: ${ms.toFixed(0)} ms, ${now} MiB resident (peak ${peak})`);
  process.kill();
  await process.status;
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 5000; tries++) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Longest delay of a timer that should fire every millisecond, until it is read. */
function watchStalls(): () => number {
  let worst = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - 1);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return worst;
  };
}

function memory(pid: number | "self"): { now: number; peak: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const mebibytes = (field: string) =>
    Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return { now: mebibytes("VmRSS"), peak: mebibytes("VmHWM") };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function targetOf(index: number): [string, string, number] {
  return [idOf(index), `n${index % 50}.example.com`, 7000 + index % 20];
}

function idOf(index: number): string {
  return `device-${String(index).padStart(7, "0")}`;
}
