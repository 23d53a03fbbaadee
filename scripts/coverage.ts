// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Fails if the tests run too few lines of lib/ and main.ts. Reads the LCOV report of `deno test --coverage`, which does
 * not include lines that only run in child processes, such as the command's own exit.
 */

/** Minimum share of lines, in percent, some points below the current one: a gate against neglect, not a score. */
export const FLOOR = 90;

/** Lines of one file. */
export interface FileCoverage {
  readonly file: string;
  readonly lines: number;
  readonly hit: number;
}

/** The counts in an LCOV report of the files below `root` for which `counts` is true, by their relative paths. */
export function readLcov(lcov: string, root: string, counts: (file: string) => boolean): FileCoverage[] {
  return lcov.split("end_of_record").flatMap((record) => {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    if (!path?.startsWith(root) || !counts(path.slice(root.length))) return [];
    const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)$`, "m").exec(record)?.[1] ?? NaN);
    return [{ file: path.slice(root.length), lines: number("LF"), hit: number("LH") }];
  });
}

/** Percent of all lines that were run; NaN if there are none. */
export function percent(files: readonly FileCoverage[]): number {
  const sum = (of: (file: FileCoverage) => number) => files.reduce((total, file) => total + of(file), 0);
  return 100 * sum(({ hit }) => hit) / sum(({ lines }) => lines);
}

function isOurs(file: string): boolean {
  return file.startsWith("lib/") || file === "main.ts";
}

if (import.meta.main) {
  const [report = "coverage/lcov.info"] = Deno.args;
  const root = new URL("../", import.meta.url).pathname;
  const files = readLcov(Deno.readTextFileSync(report), root, isOurs);
  const least = files.toSorted((a, b) => percent([a]) - percent([b])).slice(0, 5);
  const covered = percent(files);
  const reached = covered >= FLOOR;
  console.log(
    `${covered.toFixed(1)} % of ${files.length} files' lines were run, expected at least ${FLOOR} %`,
  );
  for (const file of least) console.log(`${percent([file]).toFixed(1).padStart(7)} % ${file.file}`);
  Deno.exit(reached ? 0 : 1);
}
