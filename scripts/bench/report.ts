/** Turns the runs of the benchmark into a table and into one object of ratios: no process, no clock. */

import { median } from "../statistics.ts";

/** The contestants that Switchyard is compared with. */
export const PEERS = ["haproxy", "nginx"] as const;

/** One run of one contestant: figures by name, such as `per_s`. */
export interface Run {
  readonly mode: Mode;
  readonly who: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** A figure of a mode: its name in the runs, its unit, and whether more of it is better. */
interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly moreIsBetter: boolean;
}

const less = (name: string, unit: string): Figure => ({ name, unit, moreIsBetter: false });
const more = (name: string, unit: string): Figure => ({ name, unit, moreIsBetter: true });

/** The balancer's own processor time per operation, which other work on the machine disturbs least. */
const CPU = less("cpu_us", "us cpu");

/** The figures of each mode, in the order in which they run. */
export const FIGURES = {
  rtt: [more("per_s", "round trips/s"), less("p99_us", "us p99"), CPU],
  paced: [less("p50_us", "us p50"), less("p99_us", "us p99"), less("p999_us", "us p99.9"), CPU],
  connect: [more("per_s", "connections/s"), less("p99_us", "us p99"), CPU],
  bulk1: [more("per_s", "MB/s"), CPU],
  bulk8: [more("per_s", "MB/s"), CPU],
  idle: [less("kib", "KiB a pair")],
  burst: [less("seconds", "s for 4000")],
} as const satisfies Record<string, readonly Figure[]>;

/** A way of putting load on the balancers. */
export type Mode = keyof typeof FIGURES;

/** The modes in the order in which they run. */
export const MODES = Object.keys(FIGURES) as readonly Mode[];

/** One line of the table. */
export interface Row {
  readonly mode: Mode;
  readonly figure: string;
  readonly unit: string;
  /** The median of each contestant's runs. */
  readonly medians: Readonly<Record<string, number>>;
  /** Switchyard relative to the better peer, above 1 if Switchyard is better; undefined if no peer ran. */
  readonly ratio: number | undefined;
  /** This checkout relative to that of `--against`, above 1 if this one is better; undefined without it. */
  readonly change: number | undefined;
}

/** One row for each figure of each mode that ran. */
export function rowsOf(runs: readonly Run[]): Row[] {
  const ran = MODES.filter((mode) => runs.some((run) => run.mode === mode));
  return ran.flatMap((mode) => FIGURES[mode].map((figure) => rowOf(mode, figure, runs)));
}

function rowOf(mode: Mode, { name, unit, moreIsBetter }: Figure, runs: readonly Run[]): Row {
  const own = runs.filter((run) => run.mode === mode);
  const contestants = [...new Set(own.map(({ who }) => who))];
  const medianOf = (who: string) =>
    median(own.filter((run) => run.who === who).map(({ figures }) => figures[name] ?? NaN));
  const medians = Object.fromEntries(contestants.map((who) => [who, medianOf(who)]));
  const compare = (others: readonly number[]) => {
    const { switchyard } = medians;
    if (switchyard === undefined || others.length === 0) return undefined;
    return moreIsBetter ? switchyard / Math.max(...others) : Math.min(...others) / switchyard;
  };
  const of = (names: readonly string[]) => names.flatMap((who) => medians[who] ?? []);
  return { mode, figure: name, unit, medians, ratio: compare(of(PEERS)), change: compare(of(["against"])) };
}

/** The first line of the table that a person reads. */
export function headerOf(contestants: readonly string[]): string {
  const columns = [...contestants, "ratio", "change"];
  return ["".padEnd(24), ...columns.map((name) => name.padStart(12))].join("");
}

/** A row of that table. */
export function lineOf({ mode, unit, medians, ratio, change }: Row, contestants: readonly string[]): string {
  const cells = [...contestants.map((who) => figureText(medians[who])), ratioText(ratio), ratioText(change)];
  return `${mode.padEnd(9)}${unit.padEnd(15)}${cells.map((cell) => cell.padStart(12)).join("")}`.trimEnd();
}

function figureText(value: number | undefined): string {
  if (value === undefined) return "";
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}

const ratioText = (value: number | undefined) => value?.toFixed(2) ?? "";

/** `{"rtt.per_s": {"ratio": 0.81, "change": 1.02, "switchyard": 50124, …}, …}` in one line. */
export function jsonOf(rows: readonly Row[]): string {
  const rounded = (value: number) => Number(value.toPrecision(4));
  return JSON.stringify(Object.fromEntries(rows.map(({ mode, figure, medians, ratio, change }) => [
    `${mode}.${figure}`,
    {
      ...(ratio !== undefined && { ratio: rounded(ratio) }),
      ...(change !== undefined && { change: rounded(change) }),
      ...Object.fromEntries(Object.entries(medians).map(([who, value]) => [who, rounded(value)])),
    },
  ])));
}
