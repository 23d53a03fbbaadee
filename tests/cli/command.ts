/** Running a command line within the test's own process. */

import { main } from "../../main.ts";

/** What a command line did. */
export interface Ran {
  readonly status: number;
  /** Lines of standard output. */
  readonly out: readonly string[];
  /** Lines of standard error. */
  readonly err: readonly string[];
}

/** Runs a command line to its end. */
export async function run(...args: string[]): Promise<Ran> {
  const [out, err]: string[][] = [[], []];
  const io = {
    out: (line: string) => void out?.push(line),
    err: (line: string) => void err?.push(line),
    stderrIsTerminal: false,
  };
  return { status: await main(args, io), out: out ?? [], err: err ?? [] };
}
