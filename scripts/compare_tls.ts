// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Measures TLS at a listener side by side: Switchyard, Switchyard of other checkouts, HAProxy and a bare relay on
 * `Deno.listenTls`. For each its own processor time per round trip, per MB and per connection, and what an idle pair
 * takes in memory and files. Linux with openssl and haproxy only; everything stays on loopback.
 *
 *     deno run -A scripts/compare_tls.ts [--rounds N] [--seconds N] [--upstream] [--beside FOLDER]...
 *
 * `--beside` adds the Switchyard of a checkout in FOLDER, `--upstream` measures TLS towards the upstream instead.
 */

import { Certificate } from "../tests/certificates.ts";
import { encodeId } from "../lib/frame/tlv.ts";
import { writeAll } from "../lib/transport/duplex.ts";
import { sleep } from "../lib/util/async.ts";
import { cpuSeconds, freePort, residentKib } from "./bench/processes.ts";
import { median } from "./statistics.ts";

const SELF = new URL(import.meta.url).pathname;

/** Connections of each load, and idle pairs. */
const CONNECTIONS = { rtt: 32, connect: 8, bulk: 1 } as const;
const IDLE_PAIRS = 1000;

type Mode = keyof typeof CONNECTIONS;

const UNITS: Record<Mode, string> = { rtt: "round trip", connect: "connection", bulk: "MB" };

interface Setup {
  readonly certificate: Certificate;
  readonly folder: string;
  readonly upstream: number;
  /** Whether TLS is spoken to the upstream instead of at the listener. */
  readonly upwards: boolean;
}

/** A contestant: how to start it so that it listens on `port`. */
interface Contestant {
  readonly name: string;
  readonly start: (port: number, setup: Setup) => Promise<string[]>;
}

function switchyard(name: string, folder: string): Contestant {
  return {
    name,
    async start(port, { certificate, folder: work, upstream, upwards }) {
      const { cert, key } = certificate.files;
      const config = `${work}/${name}.yaml`;
      const listener = upwards ? "" : `, tls: { cert: ${cert}, key: ${key} }`;
      const route = upwards ? `, tls: { ca: ${cert} }` : "";
      await Deno.writeTextFile(
        config,
        `listeners: [{ address: "127.0.0.1:${port}"${listener} }]
routes: [{ id: 1, host: 127.0.0.1, port: ${upstream}${route} }]
log: { level: warning, access: false }
`,
      );
      const run = ["run", "--v8-flags=--max-semi-space-size=2", "--allow-net", "--allow-read", "--no-prompt"];
      return [Deno.execPath(), ...run, `${folder}/main.ts`, "serve", "-c", config];
    },
  };
}

const HAPROXY: Contestant = {
  name: "HAProxy",
  async start(port, { certificate, folder, upstream, upwards }) {
    const { cert, key } = certificate.files;
    await Deno.writeTextFile(
      `${folder}/both.pem`,
      Deno.readTextFileSync(cert) + Deno.readTextFileSync(key),
    );
    const config = `${folder}/haproxy.cfg`;
    await Deno.writeTextFile(
      config,
      `global
  maxconn 9000
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:${port} backlog 4096${upwards ? "" : ` ssl crt ${folder}/both.pem`}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.payload_lv(1,4) -m found }
  default_backend one
backend one
  server s 127.0.0.1:${upstream}${upwards ? ` ssl ca-file ${cert} sni str(localhost)` : ""}
`,
    );
    return ["haproxy", "-db", "-f", config];
  },
};

const BARE: Contestant = {
  name: "bare relay",
  start: (port, { certificate: { files: { cert, key } }, upstream, upwards }) =>
    Promise.resolve([
      ...[Deno.execPath(), "run", "-A", "--v8-flags=--max-semi-space-size=2", SELF],
      ...["relay", `${port}`, `${upstream}`, cert, key, upwards ? "upwards" : "downwards"],
    ]),
};

/** A process that is measured. */
class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  constructor([command = "", ...args]: readonly string[]) {
    this.#child = new Deno.Command(command, { args, stdout: "null", stderr: "inherit" }).spawn();
  }

  /** Processor time so far, in seconds. */
  get cpuSeconds(): number {
    return cpuSeconds(this.#child.pid);
  }

  /** Resident memory in KiB. */
  get residentKib(): number {
    return residentKib(this.#child.pid);
  }

  get openFiles(): number {
    return [...Deno.readDirSync(`/proc/${this.#child.pid}/fd`)].length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

/** Moves bytes between the platform's own TLS and a plain connection, with nothing around it. */
async function relay([port, upstream, certFile, keyFile, way]: readonly string[]): Promise<void> {
  const [cert, key] = [certFile, keyFile].map((file) => Deno.readTextFileSync(file ?? ""));
  const at = { hostname: "127.0.0.1", port: Number(port) };
  const to = { hostname: "127.0.0.1", port: Number(upstream) };
  const upwards = way === "upwards";
  const listener = upwards ? Deno.listen(at) : Deno.listenTls({ ...at, cert: cert ?? "", key: key ?? "" });
  const pump = async (from: Deno.Conn, into: Deno.Conn) => {
    try {
      const buffer = new Uint8Array(64 << 10);
      for (let count; (count = await from.read(buffer)) !== null;) {
        await writeAll(into, buffer.subarray(0, count));
      }
      await into.closeWrite();
    } catch {
      // one end is gone: the other direction ends as well
    }
  };
  for await (const client of listener) {
    const dialing = upwards ? Deno.connectTls({ ...to, caCerts: [cert ?? ""] }) : Deno.connect(to);
    void dialing.then(async (server) => {
      if ("setNoDelay" in server) (server as Deno.TcpConn).setNoDelay(true);
      await Promise.all([pump(client, server), pump(server, client)]);
      for (const end of [client, server]) end[Symbol.dispose]();
    });
  }
}

/** An echo or a sink, with or without TLS. */
async function upstream([mode, certFile, keyFile]: readonly string[]): Promise<void> {
  const at = { hostname: "127.0.0.1", port: 0 };
  const [cert, key] = [certFile, keyFile].map((file) => file && Deno.readTextFileSync(file));
  const listener = cert && key ? Deno.listenTls({ ...at, cert, key }) : Deno.listen(at);
  console.log((listener.addr as Deno.NetAddr).port);
  for await (const conn of listener) {
    void (async () => {
      try {
        const buffer = new Uint8Array(256 << 10);
        for (let count; (count = await conn.read(buffer)) !== null;) {
          if (mode === "echo") await writeAll(conn, buffer.subarray(0, count));
        }
        await conn.closeWrite();
      } catch {
        // the client has disconnected
      } finally {
        conn[Symbol.dispose]();
      }
    })();
  }
}

/** Puts load on `port` for a time, and prints the number of operations. */
async function load([mode, port, seconds, ca]: readonly string[]): Promise<void> {
  const until = performance.now() + Number(seconds) * 1000;
  let done = 0;
  const lanes = Array.from({ length: CONNECTIONS[mode as Mode] }, async () => {
    const reply = new Uint8Array(64 << 10);
    const exchange = async (conn: Deno.Conn, bytes: Uint8Array) => {
      await writeAll(conn, bytes);
      for (let got = 0; got < bytes.length;) got += await conn.read(reply) ?? Infinity;
    };
    const message = new Uint8Array(mode === "bulk" ? 1e6 : 64);
    let conn = await open(Number(port), ca);
    if (mode !== "bulk") await exchange(conn, encodeId("1"));
    else await writeAll(conn, encodeId("1"));
    while (performance.now() < until) {
      if (mode === "rtt") await exchange(conn, message);
      if (mode === "bulk") await writeAll(conn, message);
      if (mode === "connect") {
        conn[Symbol.dispose]();
        conn = await open(Number(port), ca);
        await exchange(conn, encodeId("1"));
      }
      done += 1;
    }
    conn[Symbol.dispose]();
  });
  await Promise.all(lanes);
  console.log(done);
}

function open(port: number, ca: string | undefined): Promise<Deno.Conn> {
  const at = { hostname: "127.0.0.1", port };
  return ca ? Deno.connectTls({ ...at, caCerts: [Deno.readTextFileSync(ca)] }) : Deno.connect(at);
}

async function runSelf(...args: readonly string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", SELF, ...args],
    stderr: "inherit",
  });
  return new TextDecoder().decode((await command.output()).stdout);
}

/** An upstream as a process; its port, and the process to end. */
async function startUpstream(mode: "echo" | "sink", files: readonly string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", SELF, "upstream", mode, ...files],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const port = Number(new TextDecoder().decode((await reader.read()).value));
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

async function started(contestant: Contestant, setup: Setup) {
  const port = freePort();
  const process = new Process(await contestant.start(port, setup));
  for (let tries = 0;; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return { port, process };
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}

/** KiB and open files for each of many idle pairs. */
async function weigh(contestant: Contestant, setup: Setup): Promise<{ kib: number; files: number }> {
  const { port, process } = await started(contestant, setup);
  await using _process = process;
  const pairs: Deno.Conn[] = [];
  const hold = async (count: number) => {
    for (let made = 0; made < count; made += 20) {
      await Promise.all(Array.from({ length: 20 }, async () => {
        const conn = await open(port, setup.upwards ? undefined : setup.certificate.files.cert);
        pairs.push(conn);
        await writeAll(conn, encodeId("1"));
        await conn.read(new Uint8Array(64));
      }));
    }
    await sleep(1500);
  };
  await hold(200);
  const before = { kib: process.residentKib, files: process.openFiles };
  await hold(IDLE_PAIRS);
  const [kib, files] = [process.residentKib - before.kib, process.openFiles - before.files];
  for (const conn of pairs) conn[Symbol.dispose]();
  return { kib: kib / IDLE_PAIRS, files: files / IDLE_PAIRS };
}

async function compare(contestants: readonly Contestant[], setup: Omit<Setup, "upstream">, options: {
  rounds: number;
  seconds: number;
}): Promise<void> {
  const { cert, key } = setup.certificate.files;
  const files = setup.upwards ? [cert, key] : [];
  const row = (title: string, cells: readonly string[]) =>
    console.log(`| ${[title, ...cells].map((cell) => cell.padEnd(14)).join(" | ")} |`);
  row("", contestants.map(({ name }) => name));
  for (const mode of ["rtt", "bulk", "connect"] as const) {
    await using server = await startUpstream(mode === "bulk" ? "sink" : "echo", files);
    const running = [];
    for (const contestant of contestants) {
      running.push(await started(contestant, { ...setup, upstream: server.port }));
    }
    const spent = contestants.map((): number[] => []);
    for (let round = 0; round <= options.rounds; round++) {
      for (const [index, { port, process }] of running.entries()) {
        const before = process.cpuSeconds;
        const seconds = round === 0 ? 1 : options.seconds;
        const done = await runSelf("load", mode, `${port}`, `${seconds}`, setup.upwards ? "" : cert);
        // the first round warms up
        if (round > 0) spent[index]?.push((process.cpuSeconds - before) * 1e6 / Number(done));
      }
    }
    row(`µs/${UNITS[mode]}`, spent.map((figures) => median(figures).toFixed(1)));
    for (const { process } of running) await process[Symbol.asyncDispose]();
  }
  await using server = await startUpstream("echo", files);
  const weights = [];
  for (const contestant of contestants) {
    weights.push(await weigh(contestant, { ...setup, upstream: server.port }));
  }
  row("KiB/idle pair", weights.map(({ kib }) => kib.toFixed(1)));
  row("files/pair", weights.map(({ files }) => files.toFixed(1)));
}

async function main(args: readonly string[]): Promise<void> {
  const value = (flag: string) => args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined;
  const beside = args.filter((_, index) => args[index - 1] === "--beside");
  await using certificate = await Certificate.create("compared");
  const folder = await Deno.makeTempDir();
  const here = new URL("..", import.meta.url).pathname;
  const contestants = [
    switchyard("switchyard", here),
    ...beside.map((folder) => switchyard(folder.split("/").at(-1) ?? folder, folder)),
    HAPROXY,
    BARE,
  ];
  const options = { rounds: Number(value("--rounds") ?? 3), seconds: Number(value("--seconds") ?? 2) };
  await compare(contestants, { certificate, folder, upwards: args.includes("--upstream") }, options);
  await Deno.remove(folder, { recursive: true });
}

const [role = "", ...rest] = Deno.args;
const roles: Record<string, (args: readonly string[]) => Promise<void>> = { relay, upstream, load };
await (roles[role]?.(rest) ?? main(Deno.args));
