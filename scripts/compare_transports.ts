// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Measures WebSocket against raw TCP through one balancer with `switchyard bench`, in turns, since a machine is rarely
 * quiet: throughput, processor time of the balancer for each message, and memory of an idle pair. Linux only.
 *
 *     deno run -A scripts/compare_transports.ts [ROUNDS [SECONDS]]
 */

import { type ClientTarget, connectTo } from "../lib/acceptance/connect.ts";
import { encodeId } from "../lib/frame/tlv.ts";
import { type Duplex, writeAll } from "../lib/transport/duplex.ts";
import { sleep } from "../lib/util/async.ts";
import { cpuSeconds, freePort, isListening, residentKib } from "./bench/processes.ts";
import { median } from "./statistics.ts";

const MAIN = new URL("../main.ts", import.meta.url).pathname;

const PERMISSIONS = ["run", "--allow-net", "--allow-read", "--no-prompt", MAIN];

const TRANSPORTS = ["tcp", "websocket"] as const;

type Transport = typeof TRANSPORTS[number];

const LOADS = [
  { mode: "stream", connections: 1 },
  { mode: "stream", connections: 8 },
  { mode: "rtt", connections: 1 },
  { mode: "rtt", connections: 64 },
] as const;

type Load = typeof LOADS[number];

/** Idle pairs at the first and the second measurement, whose difference contains no fixed costs. */
const IDLE_PAIRS = [2_000, 8_000] as const;

/** Pairs that are opened at once. */
const BURST = 50;

/** Switchyard as a process with its own port. */
class Process implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;

  constructor(port: number, ...args: readonly string[]) {
    this.port = port;
    const command = [...PERMISSIONS, ...args, "--listen", `127.0.0.1:${port}`];
    this.#child = new Deno.Command(Deno.execPath(), { args: command, stdout: "null", stderr: "null" })
      .spawn();
  }

  /** Processor time so far, in seconds. */
  get cpuSeconds(): number {
    return cpuSeconds(this.#child.pid);
  }

  /** Resident memory in KiB. */
  get residentKib(): number {
    return residentKib(this.#child.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

async function start(...args: readonly string[]): Promise<Process> {
  const process = new Process(freePort(), ...args);
  while (!await isListening(process.port)) await sleep(50);
  return process;
}

const startBalancer = (upstream: Process) =>
  start("serve", "--route", `1=127.0.0.1:${upstream.port}`, "--log-level", "warning");

/** The figures of one run. */
interface Measured {
  /** Messages or round trips a second. */
  readonly rate: number;
  /** Microseconds of the balancer's processor time for each. */
  readonly cpu: number;
}

async function measure(
  balancer: Process,
  transport: Transport,
  { mode, connections }: Load,
  seconds: string,
): Promise<Measured> {
  const before = balancer.cpuSeconds;
  const target = `${transport === "tcp" ? "" : "ws://"}127.0.0.1:${balancer.port}`;
  const args = ["--id", "1", "--mode", mode, "--connections", `${connections}`, "--duration", `${seconds}s`];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...PERMISSIONS, "bench", "--connect", target, ...args],
  });
  const { stdout, stderr } = await command.output();
  const [, rate, messages] = /\n([\d.]+) .*; (\d+) /.exec(new TextDecoder().decode(stdout)) ?? [];
  if (messages === undefined) throw new Error(new TextDecoder().decode(stderr));
  return { rate: Number(rate), cpu: (balancer.cpuSeconds - before) * 1e6 / Number(messages) };
}

async function compare(load: Load, rounds: number, seconds: string): Promise<void> {
  await using upstream = await start("upstream", "--mode", load.mode === "stream" ? "sink" : "echo");
  await using balancer = await startBalancer(upstream);
  for (const transport of TRANSPORTS) await measure(balancer, transport, load, "0.5");
  const pairs: Record<Transport, Measured>[] = [];
  for (let round = 0; round < rounds; round++) {
    const tcp = await measure(balancer, "tcp", load, seconds);
    pairs.push({ tcp, websocket: await measure(balancer, "websocket", load, seconds) });
  }
  const ratio = median(pairs.map(({ tcp, websocket }) => websocket.rate / tcp.rate));
  const [tcp, websocket] = TRANSPORTS.map((transport) => {
    const rate = median(pairs.map((pair) => pair[transport].rate));
    const cpu = median(pairs.map((pair) => pair[transport].cpu));
    return `${rate.toFixed(0)}/s at ${cpu.toFixed(1)} µs`;
  });
  console.log(
    `${load.mode}, ${load.connections}: tcp ${tcp}, websocket ${websocket}, ratio ${ratio.toFixed(2)}`,
  );
}

/** KiB of the balancer for an idle pair. */
async function idlePair(transport: Transport): Promise<number> {
  await using upstream = await start("upstream", "--mode", "echo");
  await using balancer = await startBalancer(upstream);
  const target = { host: "127.0.0.1", port: balancer.port, ...(transport === "websocket" && { path: "/" }) };
  const open: Duplex[] = [];
  const weighWith = async (pairs: number) => {
    while (open.length < pairs) {
      open.push(...await Promise.all(Array.from({ length: BURST }, () => openPair(target))));
    }
    await sleep(2000);
    return balancer.residentKib;
  };
  const [few, many] = IDLE_PAIRS;
  const fixed = await weighWith(few);
  const each = (await weighWith(many) - fixed) / (many - few);
  for (const duplex of open) duplex.close();
  return each;
}

async function compareIdle(rounds: number): Promise<void> {
  const weighed: Record<Transport, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    weighed.push({ tcp: await idlePair("tcp"), websocket: await idlePair("websocket") });
  }
  const [tcp = NaN, websocket = NaN] = TRANSPORTS.map((transport) =>
    median(weighed.map((one) => one[transport]))
  );
  const ratio = (websocket / tcp).toFixed(2);
  console.log(`idle pair: tcp ${tcp.toFixed(1)} KiB, websocket ${websocket.toFixed(1)} KiB, ratio ${ratio}`);
}

/** A connection whose ID frame has come back: it has reached the upstream. */
async function openPair(target: ClientTarget): Promise<Duplex> {
  const duplex = await connectTo(target);
  const id = encodeId("1");
  await writeAll(duplex, id);
  for (let missing = id.length; missing > 0;) {
    const count = await duplex.read(new Uint8Array(64));
    if (count === null) throw new Error("the balancer ended a connection");
    missing -= count;
  }
  return duplex;
}

if (import.meta.main) {
  const [rounds = "9", seconds = "1"] = Deno.args;
  for (const load of LOADS) await compare(load, Number(rounds), seconds);
  await compareIdle(Math.ceil(Number(rounds) / 3));
}
