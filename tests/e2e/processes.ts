/** Switchyard as a process: from source with net and read permissions only, or the binary named by SWITCHYARD_BIN. */

import { requireTls } from "../../lib/transport/tls/platform.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** V8's flags of `deno task start` and of the executable, so that tests measure the memory that users see. */
const START_FLAGS = ["--v8-flags=--max-semi-space-size=2", "--allow-net", "--allow-read", "--no-prompt"];

/** Where processes run: a prefix of their command line. */
export interface Place {
  readonly command: readonly string[];
}

/** The command line of Switchyard. */
export function commandLine(args: readonly string[]): string[] {
  const binary = Deno.env.get("SWITCHYARD_BIN");
  if (binary) return [new URL(binary, `file://${ROOT}`).pathname, ...args];
  // quiet: with an empty cache the platform would print its downloads among the lines that tests compare
  return [Deno.execPath(), "run", "--quiet", ...START_FLAGS, `${ROOT}main.ts`, ...args];
}

/** Whether that Switchyard can speak TLS: an executable may be built on a version of Deno that is too old for it. */
export const hasTls = await (async () => {
  try {
    requireTls(await denoVersion());
    return true;
  } catch {
    return false; // the message is what a test asserts
  }
})();

/** The version of Deno that runs it: from source the one that runs the tests, in an executable the one it names. */
async function denoVersion(): Promise<string | undefined> {
  if (!Deno.env.get("SWITCHYARD_BIN")) return Deno.version.deno;
  const [program = "", ...args] = commandLine(["version"]);
  const { stdout } = await new Deno.Command(program, { args }).output();
  return /deno (\S+)\)/.exec(new TextDecoder().decode(stdout))?.[1];
}

/** The output of a process, as it arrives. */
export class Output {
  text = "";
  readonly done: Promise<void>;
  #changed = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.done = this.#collect(stream);
  }

  /** Waits, at most 20 seconds, until the process has written `wanted`. */
  async until(wanted: string): Promise<void> {
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => timeout.reject(new Error(`no ${JSON.stringify(wanted)} in ${JSON.stringify(this.text)}`)),
      20_000,
    );
    try {
      while (!this.text.includes(wanted)) await Promise.race([this.#changed.promise, timeout.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.text += decoder.decode(chunk, { stream: true });
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

/** A running Switchyard. */
export class Running implements AsyncDisposable {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly #child: Deno.ChildProcess;
  #ended = false;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.stdout = new Output(child.stdout);
    this.stderr = new Output(child.stderr);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits for its end. Resolves to the exit status. */
  async status(): Promise<number> {
    const { code } = await this.#child.status;
    this.#ended = true;
    await Promise.all([this.stdout.done, this.stderr.done]);
    return code;
  }

  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  /** Asks it to end. Resolves to the exit status. */
  async end(): Promise<number> {
    if (!this.#ended) this.#child.kill("SIGTERM");
    return await this.status();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGKILL");
    await this.status();
  }
}

/** Starts Switchyard with `args`. */
export function start(place: Place, args: readonly string[]): Running {
  const [program = "", ...rest] = [...place.command, ...commandLine(args)];
  return new Running(new Deno.Command(program, { args: rest, stdout: "piped", stderr: "piped" }).spawn());
}

/** A network namespace of its own with `hosts` as its hosts file, or undefined if that is not permitted. */
export async function networkNamespace(name: string, hosts: string) {
  if (!await ip("netns", "add", name)) return undefined;
  await Deno.mkdir(`/etc/netns/${name}`, { recursive: true });
  await Deno.writeTextFile(`/etc/netns/${name}/hosts`, hosts);
  await ip("netns", "exec", name, "ip", "link", "set", "lo", "up");
  return {
    command: ["ip", "netns", "exec", name],
    async [Symbol.asyncDispose]() {
      await ip("netns", "delete", name);
      await Deno.remove(`/etc/netns/${name}`, { recursive: true });
    },
  };
}

async function ip(...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("ip", { args, stdout: "null", stderr: "null" }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
