/** `switchyard top`: the connections of a running balancer, in the terminal. */

import type { HostPort } from "../config/config.ts";
import { messageOf, UsageError } from "../errors.ts";
import { adminAddress, adminObject } from "./admin_client.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import { type Io, onHangup, ShutdownSignals } from "./io.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { SORT_KEYS, type Status, topScreen, type TopState } from "./top_screen.ts";
import { durationFlag } from "./values.ts";

/** Default of `--interval`, in milliseconds. */
const INTERVAL_MS = 1000;

/** Size of the page that is printed without a terminal. */
const PAGE = { columns: 120, rows: 40 };

export const spec: CommandSpec = {
  name: "top",
  summary: "Shows the connections of a running balancer, live: q quits, b, a and i sort by bytes, age or ID.",
  flags: {
    admin: { value: "URL", help: "its admin listener, HOST:PORT (127.0.0.1:9090)" },
    interval: { value: "TIME", help: "time between updates (1s)" },
  },
  examples: ["top", "top --admin 127.0.0.1:9090"],
};

/** Prints one page if there is no terminal. Throws if the balancer does not answer at the start. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const flags = readFlags(args, spec);
  const problems: string[] = [];
  const at = adminAddress(flags.value("admin") ?? "127.0.0.1:9090", problems);
  const interval = durationFlag("interval", flags, INTERVAL_MS, problems);
  if (problems.length > 0) throw new UsageError(problems);
  const first = await read(at, "bytes", PAGE.rows);
  using signals = new ShutdownSignals(io);
  const hungUp = Promise.withResolvers<void>();
  using _hangups = onHangup(io, hungUp.resolve);
  using terminal = processTerminal();
  const ended = Promise.race([signals.first, hungUp.promise]);
  if (terminal) await new Top(at, terminal, first).run(interval, ended);
  else for (const line of topScreen(first, PAGE)) if (line !== "" && !line.startsWith("q quit")) io.out(line);
  return 0;
}

/** Polls, draws and handles keys until `q` is pressed. */
class Top {
  readonly #at: HostPort;
  readonly #terminal: Terminal;
  #state: TopState;
  #order: string;
  #updating = false;
  /** Whether a key has asked for an update during another one. */
  #again = false;

  constructor(at: HostPort, terminal: Terminal, state: TopState) {
    this.#at = at;
    this.#terminal = terminal;
    this.#state = state;
    this.#order = state.order;
  }

  async run(interval: number, ended: Promise<void>): Promise<void> {
    const quit = Promise.withResolvers<void>();
    this.#terminal.listen((key) => {
      // in raw mode Ctrl-C and Ctrl-D are keys
      if (key !== undefined && "qQ\x03\x04".includes(key)) quit.resolve();
      else this.#press(key);
    });
    this.#draw();
    const timer = setInterval(() => void this.#update(), interval);
    try {
      await Promise.race([quit.promise, ended]);
    } finally {
      clearInterval(timer);
    }
  }

  #press(key: string | undefined): void {
    const order = key === undefined ? undefined : SORT_KEYS[key.toLowerCase()];
    if (order === undefined) return this.#draw();
    this.#order = order;
    this.#again = true;
    void this.#update();
  }

  /** One at a time: a slow answer must not take the place of a later one. */
  async #update(): Promise<void> {
    if (this.#updating) return;
    this.#updating = true;
    do {
      this.#again = false;
      await this.#read();
      this.#draw();
    } while (this.#again);
    this.#updating = false;
  }

  async #read(): Promise<void> {
    const { rows } = this.#terminal.size();
    try {
      this.#state = await read(this.#at, this.#order, rows, this.#state.status);
    } catch (error) {
      this.#state = { ...this.#state, problem: `no answer, trying again: ${messageOf(error)}` };
    }
  }

  #draw(): void {
    this.#terminal.draw(topScreen(this.#state, this.#terminal.size()));
  }
}

/** The state of the balancer at `at`. */
async function read(at: HostPort, order: string, rows: number, before?: Status): Promise<TopState> {
  const limit = Math.min(1000, Math.max(1, rows));
  const [status, pools, connections] = await Promise.all([
    adminObject(at, "/api/v1/status"),
    adminObject(at, "/api/v1/pools"),
    adminObject(at, `/api/v1/connections?sort=${order}&limit=${limit}`),
  ]);
  // the balancer is of this version, or of one that has these fields
  const state = { status, ...pools, ...connections, order } as unknown as TopState;
  return { ...state, before: before?.started_at === state.status.started_at ? before : undefined };
}
