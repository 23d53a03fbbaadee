/** Contestants of the benchmark as processes: started, waited for, weighed, ended. Linux only. */

import { sleep } from "../../lib/util/async.ts";

/** Clock ticks a second in /proc (USER_HZ, the same on every architecture that Linux has today). */
const TICKS = 100;

/** How long a program may take until it listens, in milliseconds. */
const START_MS = 20_000;

/** The load generator. */
const LOAD_SOURCE = new URL("./load.c", import.meta.url).pathname;

/** How long a program may take to end once it is asked to, in milliseconds. */
const END_MS = 2_000;

/** A program that listens on a port of loopback, with the workers that it forks. */
export class Server implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #command: string;
  readonly #log: string;

  private constructor(port: number, child: Deno.ChildProcess, command: string, log: string) {
    this.port = port;
    this.#child = child;
    this.#command = command;
    this.#log = log;
  }

  /** Starts `command` and waits until it accepts connections on `port`. Its output goes to `log`. */
  static async start(command: readonly string[], port: number, log: string): Promise<Server> {
    const [program = "", ...args] = command;
    // the shell sends both outputs to one file, without this process between
    const shell = ["-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", log, program, ...args];
    const child = new Deno.Command("sh", { args: shell, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    const server = new Server(port, child, command.join(" "), log);
    try {
      await server.listens(port);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits until the program accepts connections on `port` of loopback. */
  async listens(port: number): Promise<void> {
    let ended = false;
    void this.#child.status.then(() => ended = true);
    for (const deadline = performance.now() + START_MS; performance.now() < deadline && !ended;) {
      if (await isListening(port)) return;
      await sleep(20);
    }
    const said = await Deno.readTextFile(this.#log).catch(() => "");
    throw new Error(`${this.#command} does not listen on port ${port}:\n${said.slice(-2000)}`);
  }

  /** Processor time so far, in seconds. */
  get cpuSeconds(): number {
    return sum(this.#processes().map(cpuSeconds));
  }

  /** Resident memory in KiB. */
  get residentKib(): number {
    return sum(this.#processes().map(residentKib));
  }

  /** The program and its children. */
  #processes(): number[] {
    const parent = this.#child.pid;
    const pids = [...Deno.readDirSync("/proc")].flatMap(({ name }) => /^\d+$/.test(name) ? Number(name) : []);
    return [parent, ...pids.filter((pid) => Number(statFields(pid)[1]) === parent)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const children = this.#processes();
    signal(this.#child.pid, "SIGTERM");
    // a balancer may be draining open connections: the second request ends it at once
    const timer = setTimeout(() => signal(this.#child.pid, "SIGTERM"), END_MS / 2);
    const last = setTimeout(() => children.forEach((pid) => signal(pid, "SIGKILL")), END_MS);
    await this.#child.status;
    clearTimeout(timer);
    clearTimeout(last);
  }
}

const sum = (values: readonly number[]) => values.reduce((total, one) => total + one, 0);

/** Processor time of a process so far, in seconds; 0 if it has ended. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS;
}

/** Resident memory of a process in KiB. */
export function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Fields of /proc/PID/stat from the state on (proc(5), field 3); none if the process has ended. */
function statFields(pid: number): string[] {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || isGone(error)) return [];
    throw error;
  }
}

/** ESRCH: the process ended between opening and reading. */
const isGone = (error: unknown) => error instanceof Error && /os error 3\b/.test(error.message);

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !isGone(error)) throw error;
  }
}

/** A free port of loopback. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Whether something accepts connections on `port` of loopback. */
export async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** Whether `program` is on the PATH. */
export async function isInstalled(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", 'command -v "$1"', "sh", program] })
    .output();
  return success;
}

/** Compiles the load generator into `folder`. */
export async function compileLoad(folder: string): Promise<string> {
  const load = `${folder}/load`;
  const args = ["-O2", "-Wall", "-Wextra", "-Werror", "-o", load, LOAD_SOURCE];
  const { success, stderr } = await new Deno.Command("cc", { args }).output();
  if (!success) throw new Error(`cc cannot compile the load generator: ${new TextDecoder().decode(stderr)}`);
  return load;
}
