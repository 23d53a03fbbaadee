// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * `deno task bench:peers`: the same load on Switchyard, HAProxy and nginx, all routing by the ID in the first frame, in
 * turns, since a machine is rarely quiet. Prints the medians as a table, and as JSON in the last line.
 *
 *     deno task bench:peers [--rounds 3] [--seconds 4] [--modes rtt,paced,…] [--against DIR] [--workers N] [--observed]
 *         [--bare] [--alone] [-- COMMAND…]
 *
 * --against DIR measures another checkout of the project as well, in the same run: before and after a change.
 * --workers measures Switchyard with so many workers as well.
 * --observed measures Switchyard with everything that observes it as well: the access log to a file, metrics, and the
 * stream of events of an open dashboard.
 * --bare measures a relay of 40 lines on the same calls as well: the platform's floor.
 * --alone leaves HAProxy and nginx out. COMMAND starts the balancer in place of this checkout's main.ts, such as
 * `dist/switchyard serve`; `-c FILE` is appended.
 *
 * Linux only. Needs cc, and Debian's haproxy, nginx and libnginx-mod-stream-js for the peers; one that is missing is
 * left out. Everything stays on loopback.
 */

import { parseArgs } from "node:util";
import { messageOf } from "../../lib/errors.ts";
import { sleep } from "../../lib/util/async.ts";
import { compileLoad, freePort, isInstalled, Server } from "./processes.ts";
import { headerOf, jsonOf, lineOf, type Mode, MODES, rowsOf, type Run } from "./report.ts";

const HERE = new URL(".", import.meta.url).pathname;

/** Connections of `idle` and `burst`. */
const HELD = 4000;

/** Round trips a second of `paced`: well below the capacity of each contestant. */
const PACE = 10_000;

/** Pause before the memory of a contestant is read, in milliseconds. */
const REST_MS = 1000;

/** ID 1 leads to the upstream that sends everything back, 2 to the one that drops it. */
const [ECHO, SINK] = ["1", "2"] as const;

/** How the load generator is called for the modes that last for some seconds. */
const LOADS: Readonly<
  Record<Exclude<Mode, "idle" | "burst">, readonly [string, string, number, ...number[]]>
> = {
  rtt: ["rtt", ECHO, 64],
  paced: ["paced", ECHO, 64, PACE],
  connect: ["connect", ECHO, 16],
  bulk1: ["bulk", SINK, 1],
  bulk8: ["bulk", SINK, 8],
};

/** The options on the command line. */
interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly modes: readonly Mode[];
  readonly against: string | undefined;
  readonly workers: number | undefined;
  readonly observed: boolean;
  readonly bare: boolean;
  readonly alone: boolean;
  readonly command: readonly string[];
}

/** A balancer that takes part: the command that runs it on `port`. */
interface Contestant {
  readonly name: string;
  readonly command: (port: number) => Promise<readonly string[]>;
  /** Port of its admin API, if its events are to be read. */
  readonly admin?: number;
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "4" },
      modes: { type: "string", default: MODES.join(",") },
      against: { type: "string" },
      workers: { type: "string" },
      observed: { type: "boolean", default: false },
      bare: { type: "boolean", default: false },
      alone: { type: "boolean", default: false },
    },
  });
  const modes = values.modes.split(/[, ]+/).map((name) => {
    const mode = MODES.find((known) => known === name);
    if (!mode) throw new Error(`unknown mode ${JSON.stringify(name)}; expected one of ${MODES.join(", ")}`);
    return mode;
  });
  const [rounds, seconds] = [positive("rounds", values.rounds), positive("seconds", values.seconds)];
  const command = positionals.length > 0
    ? positionals
    : denoCommand(new URL("../../", import.meta.url).pathname);
  const { against, observed, bare, alone } = values;
  const workers = values.workers === undefined ? undefined : positive("workers", values.workers);
  return { rounds, seconds, modes, against, workers, observed, bare, alone, command };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new Error(`--${name}: ${JSON.stringify(text)} is not a number above 0`);
}

/** `serve` of the checkout in `folder`, with the flags that `deno task start` gives it. */
function denoCommand(folder: string): string[] {
  const main = `${folder.replace(/\/$/, "")}/main.ts`;
  const permissions = ["--allow-net", "--allow-read", "--no-prompt"];
  return [Deno.execPath(), "run", "--v8-flags=--max-semi-space-size=2", ...permissions, main, "serve"];
}

/** Runs everything that `options` ask for. Figures that do not fit, such as unanswered connections, are errors. */
class Benchmark {
  readonly #options: Options;
  readonly #folder: string;
  readonly #upstreams: { readonly echo: number; readonly sink: number };
  readonly #servers = new Map<string, Server>();

  constructor(options: Options, folder: string, upstreams: { echo: number; sink: number }) {
    this.#options = options;
    this.#folder = folder;
    this.#upstreams = upstreams;
  }

  /** The balancers that take part: this checkout first. */
  async contestants(): Promise<readonly Contestant[]> {
    const { command, against, workers, observed, bare, alone } = this.#options;
    const own: Contestant[] = [{
      name: "switchyard",
      command: (port: number) => this.#switchyard(command, port),
    }];
    if (against !== undefined) {
      const other = denoCommand(await Deno.realPath(against));
      own.push({ name: "against", command: (port) => this.#switchyard(other, port) });
    }
    if (workers !== undefined) {
      const several = [...command, "--workers", `${workers}`];
      own.push({ name: "workers", command: (port) => this.#switchyard(several, port) });
    }
    if (observed) own.push(this.#observed(command));
    if (bare) own.push({ name: "bare", command: (port) => Promise.resolve(this.#bareRelay(port)) });
    return alone ? own : [...own, ...await this.#peers()];
  }

  async #peers(): Promise<readonly Contestant[]> {
    const files = (...names: string[]) => (port: number) =>
      Promise.all(names.map((name) => this.#fill(name, port)));
    const haproxy = files("haproxy.cfg");
    const nginx = files("nginx.conf", "first_frame.js");
    await Deno.writeTextFile(`${this.#folder}/ids.map`, `${ECHO} echo\n${SINK} sink\n`);
    const peers = [
      { name: "haproxy", command: async (port: number) => ["haproxy", "-db", "-f", ...await haproxy(port)] },
      {
        name: "nginx",
        command: async (port: number) => ["nginx", "-c", ...(await nginx(port)).slice(0, 1)],
      },
    ];
    const installed = await Promise.all(peers.map(({ name }) => isInstalled(name)));
    for (const [index, there] of installed.entries()) {
      if (!there) console.error(`${peers[index]?.name} is not installed, so it is left out`);
    }
    return peers.filter((_, index) => installed[index]);
  }

  #observed(command: readonly string[]): Contestant {
    const admin = freePort();
    const settings = `log: { level: info, access: true }\nadmin: { address: "127.0.0.1:${admin}" }`;
    return { name: "observed", command: (port) => this.#switchyard(command, port, settings), admin };
  }

  async #switchyard(
    command: readonly string[],
    port: number,
    settings = "log: { level: warning, access: false }",
  ): Promise<readonly string[]> {
    const { echo, sink } = this.#upstreams;
    const file = `${this.#folder}/routes-${port}.yaml`;
    await Deno.writeTextFile(
      file,
      `listeners: [{ address: "127.0.0.1:${port}" }]
${settings}
routes:
  - { id: ${ECHO}, host: 127.0.0.1, port: ${echo} }
  - { id: ${SINK}, host: 127.0.0.1, port: ${sink} }
`,
    );
    return [...command, "-c", file];
  }

  #bareRelay(port: number): readonly string[] {
    const { echo, sink } = this.#upstreams;
    const flags = ["--v8-flags=--max-semi-space-size=2", "--allow-net", "--no-prompt"];
    return [Deno.execPath(), "run", ...flags, `${HERE}bare_relay.ts`, ...[port, echo, sink].map(String)];
  }

  /** A copy of one of the peers' files with ports and folder filled in. Returns its path. */
  async #fill(name: string, port: number): Promise<string> {
    const { echo, sink } = this.#upstreams;
    const filled: Record<string, string | number> = {
      FOLDER: this.#folder,
      PORT: port,
      ECHO: echo,
      SINK: sink,
    };
    const text = await Deno.readTextFile(`${HERE}${name}`);
    const path = `${this.#folder}/${name}`;
    await Deno.writeTextFile(path, text.replace(/@([A-Z]+)@/g, (_, key) => `${filled[key]}`));
    return path;
  }

  /** Runs every mode, and passes its runs to `onMode` as soon as they are done. */
  async run(contestants: readonly Contestant[], onMode: (runs: readonly Run[]) => void): Promise<Run[]> {
    const all: Run[] = [];
    for (const mode of this.#options.modes) {
      const runs: Run[] = [];
      for (let round = 0; round < this.#options.rounds; round++) {
        for (const contestant of contestants) {
          const figures = await this.#measure(mode, contestant);
          if (figures["errors"]) console.error(`${mode}: ${contestant.name}: ${figures["errors"]} errors`);
          runs.push({ mode, who: contestant.name, figures });
        }
      }
      onMode(runs);
      all.push(...runs);
    }
    return all;
  }

  async #measure(mode: Mode, contestant: Contestant): Promise<Record<string, number>> {
    if (mode === "idle" || mode === "burst") return await this.#hold(mode, contestant);
    const server = await this.#server(contestant);
    const [name, id, connections, ...more] = LOADS[mode];
    const before = server.cpuSeconds;
    const words = [name, server.port, id, connections, this.#options.seconds, ...more];
    const { success, stdout, stderr } = await new Deno.Command(`${this.#folder}/load`, {
      args: words.map(String),
    }).output();
    if (!success) throw new Error(`${mode}: ${contestant.name}: ${new TextDecoder().decode(stderr).trim()}`);
    const spent = (server.cpuSeconds - before) * 1e6;
    const figures: Record<string, number> = JSON.parse(new TextDecoder().decode(stdout));
    return { ...figures, cpu_us: spent / Math.max(1, figures["ops"] ?? 0) };
  }

  /** Idle pairs and bursts, on a balancer that has just been started. */
  async #hold(mode: "idle" | "burst", contestant: Contestant): Promise<Record<string, number>> {
    await this.#stop(contestant.name);
    const server = await this.#server(contestant);
    await sleep(REST_MS);
    const before = server.residentKib;
    const args = ["hold", server.port, ECHO, HELD].map(String);
    const load = new Deno.Command(`${this.#folder}/load`, { args, stdin: "piped", stdout: "piped" }).spawn();
    const output = load.stdout.getReader();
    const { value } = await output.read();
    const figures: Record<string, number> = JSON.parse(new TextDecoder().decode(value));
    if (mode === "idle") await sleep(REST_MS);
    const kib = (server.residentKib - before) / HELD;
    await load.stdin.close();
    await output.cancel();
    await load.status;
    return { ...figures, kib };
  }

  /** The contestant's process, which is started if necessary. */
  async #server({ name, command, admin }: Contestant): Promise<Server> {
    const running = this.#servers.get(name);
    if (running) return running;
    const port = freePort();
    const log = `${this.#folder}/logs/${name}.log`;
    const server = await Server.start(await command(port), port, log);
    this.#servers.set(name, server);
    if (admin !== undefined) {
      await server.listens(admin);
      await this.#read(`http://127.0.0.1:${admin}/api/v1/events`, name);
    }
    return server;
  }

  /** Reads `url` until `name` is stopped. Resolves once it has answered. */
  async #read(url: string, name: string): Promise<void> {
    const { status, body } = await fetch(url);
    if (status !== 200 || !body) throw new Error(`${url} answered with status ${status}, expected 200`);
    body.pipeTo(new WritableStream()).catch((error: unknown) => {
      if (this.#servers.has(name)) console.error(`${url} was not read to the end: ${messageOf(error)}`);
    });
  }

  async #stop(name: string): Promise<void> {
    const server = this.#servers.get(name);
    this.#servers.delete(name);
    await server?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#servers.keys()].map((name) => this.#stop(name)));
  }
}

async function main(options: Options, folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/logs`);
  const load = await compileLoad(folder);
  const [echo, sink] = [freePort(), freePort()];
  const startUpstream = (port: number, kind: string) =>
    Server.start([load, "upstream", `${port}`, kind], port, `${folder}/logs/${kind}.log`);
  await using _echo = await startUpstream(echo, "echo");
  await using _sink = await startUpstream(sink, "sink");
  await using benchmark = new Benchmark(options, folder, { echo, sink });
  const contestants = await benchmark.contestants();
  const names = contestants.map(({ name }) => name);
  console.log(headerOf(names));
  const runs = await benchmark.run(contestants, (runs) => {
    for (const row of rowsOf(runs)) console.log(lineOf(row, names));
  });
  console.log(jsonOf(rowsOf(runs)));
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "switchyard-bench-" });
  try {
    await main(readOptions(Deno.args), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
