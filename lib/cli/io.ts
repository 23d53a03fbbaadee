/** Output of a command, and the signals that stop it. */

/** Passed to every command; tests pass their own. */
export interface Io {
  /** Writes a line to standard output. */
  readonly out: (line: string) => void;
  /** Writes a line to standard error. */
  readonly err: (line: string) => void;
  readonly stderrIsTerminal: boolean;
  /**
   * Whether standard output and standard error may have colours.
   *
   * @default neither
   */
  readonly colors?: { readonly out: boolean; readonly err: boolean };
  /** Aborted when the process should end; without it the command handles the signals itself. */
  readonly signal?: AbortSignal;
}

/** A command: takes its arguments without its name, gives its exit status. Throws `UsageError` for status 2. */
export type Command = (args: readonly string[], io: Io) => Promise<number> | number;

/** The process's own output. */
export function processIo(): Io {
  const encoder = new TextEncoder();
  const writeTo = (file: { writeSync(bytes: Uint8Array): number }) => (line: string) => {
    const bytes = encoder.encode(`${line}\n`);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  };
  const stderrIsTerminal = Deno.stderr.isTerminal();
  return {
    out: writeTo(Deno.stdout),
    err: writeTo(Deno.stderr),
    stderrIsTerminal,
    // Deno reads NO_COLOR itself, so that takes no permission
    colors: { out: Deno.stdout.isTerminal() && !Deno.noColor, err: stderrIsTerminal && !Deno.noColor },
  };
}

/** Resolves when `io` or a signal (SIGINT, SIGTERM) requests the end. */
export async function untilAsked(io: Io): Promise<void> {
  using requests = new ShutdownSignals(io);
  await requests.first;
}

/** The first and the second request to end, by `io` or by a signal (SIGINT, SIGTERM), until disposed of. */
export class ShutdownSignals implements Disposable {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  readonly #pending: (() => void)[];
  readonly #asked = () => this.#pending.shift()?.();
  readonly #signal: AbortSignal | undefined;

  constructor({ signal }: Io) {
    const requests = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    [this.first, this.second] = [requests[0].promise, requests[1].promise];
    this.#pending = requests.map(({ resolve }) => resolve);
    this.#signal = signal;
    if (signal?.aborted) this.#asked();
    else if (signal) signal.addEventListener("abort", this.#asked);
    else for (const name of END_SIGNALS) Deno.addSignalListener(name, this.#asked);
  }

  [Symbol.dispose](): void {
    if (this.#signal) this.#signal.removeEventListener("abort", this.#asked);
    else for (const name of END_SIGNALS) Deno.removeSignalListener(name, this.#asked);
  }
}

const END_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** Calls `act` at each SIGHUP, until disposed of. Signals of the process are ignored if `io` has its own. */
export function onHangup({ signal }: Io, act: () => void): Disposable {
  if (signal || Deno.build.os === "windows") return { [Symbol.dispose]() {} };
  Deno.addSignalListener("SIGHUP", act);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", act) };
}
