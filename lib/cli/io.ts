/** Where a command writes, and when it should stop. */

/** Given to every command; tests put their own in its place. */
export interface Io {
  /** Writes a line to standard output. */
  readonly out: (line: string) => void;
  /** Writes a line to standard error. */
  readonly err: (line: string) => void;
  readonly stderrIsTerminal: boolean;
  /** Aborted when the process is asked to end; without it the command takes the signals itself. */
  readonly signal?: AbortSignal;
}

/** A command: its arguments without its name, to its exit status. Throws `UsageError` for status 2. */
export type Command = (args: readonly string[], io: Io) => Promise<number> | number;

/** The process's own output. */
export function processIo(): Io {
  const encoder = new TextEncoder();
  const writeTo = (file: { writeSync(bytes: Uint8Array): number }) => (line: string) => {
    const bytes = encoder.encode(`${line}\n`);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  };
  return {
    out: writeTo(Deno.stdout),
    err: writeTo(Deno.stderr),
    stderrIsTerminal: Deno.stderr.isTerminal(),
  };
}

/** Resolves when `io` or the process is asked to end (SIGINT, SIGTERM). */
export async function untilAsked({ signal }: Io): Promise<void> {
  if (signal?.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked = () => resolve();
  if (signal) signal.addEventListener("abort", asked);
  else for (const name of END_SIGNALS) Deno.addSignalListener(name, asked);
  await promise;
  if (!signal) { for (const name of END_SIGNALS) Deno.removeSignalListener(name, asked); }
}

const END_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
