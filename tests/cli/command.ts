/** Runs command lines within the test's own process. */

import type { Io } from "../../lib/cli/io.ts";
import { main } from "../../main.ts";

/** The result of a command line. */
export interface Ran {
  readonly status: number;
  /** Lines of standard output. */
  readonly out: readonly string[];
  /** Lines of standard error. */
  readonly err: readonly string[];
}

/** Runs a command line to its end. */
export function run(...args: string[]): Promise<Ran> {
  return runWith({}, ...args);
}

/** The same with other options for its output. */
export async function runWith(changes: Partial<Io>, ...args: string[]): Promise<Ran> {
  const [out, err]: string[][] = [[], []];
  const io = {
    out: (line: string) => void out?.push(line),
    err: (line: string) => void err?.push(line),
    stderrIsTerminal: false,
    ...changes,
  };
  return { status: await main(args, io), out: out ?? [], err: err ?? [] };
}
