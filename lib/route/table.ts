/** The routing table: immutable, and swapped as a whole. */

import type { DefaultConfig, HoldConfig, OnRemoval, RouteConfig, Target } from "../config/config.ts";
import type { TableData } from "../tables/data.ts";
import { SharedTable, type TableEntry } from "../tables/shared_table.ts";
import { TimeSlice } from "../util/async.ts";
import { codePointsOf, Glob } from "./glob.ts";

/** A rule of the table. No two rules of one kind have the same text. */
export interface Rule {
  readonly kind: "id" | "table" | "redis" | "match" | "default";
  /** The ID or the glob; empty for the default. */
  readonly text: string;
  /** For a rule of `tables`: the file as the configuration names it, and the line number. */
  readonly line?: Pick<TableEntry, "file" | "line">;
}

/**
 * `rule` for the access log and the output of `explain`: `id 1`, `table devices.tsv:123`, `match eu-*` or `default`.
 */
export function ruleText({ kind, text, line }: Rule): string {
  if (line) return `${kind} ${line.file}:${line.line}`;
  return kind === "default" ? kind : `${kind} ${text}`;
}

/** The result of a look-up. */
export interface Route {
  /** The rule that matched. */
  readonly rule: Rule;
  /** Where to connect to. */
  readonly target: Target;
  /** How clients are held while the target is unreachable; undefined if they are refused. */
  readonly hold: HoldConfig | undefined;
  /** What happens to its connections when a reload removes it. */
  readonly onRemoval: OnRemoval;
}

/** One rule tried by a look-up. */
export interface Step {
  readonly route: Route;
  /** Whether the rule matches the ID. */
  readonly matches: boolean;
  /** Whether the rule is the selected one: the first that matches. */
  readonly selected: boolean;
}

/** The answer of Redis for an ID. */
export interface RedisAnswer {
  /** Where the hash is, for messages. */
  readonly where: string;
  /** Undefined if the hash has none. */
  readonly route?: Route | undefined;
  /** Why Redis could not be asked, or why its value is invalid. */
  readonly problem?: string | undefined;
}

interface GlobRule {
  readonly glob: Glob;
  readonly config: RouteConfig;
}

/**
 * IDs and the targets that their connections go to.
 *
 * It keeps the configured routes and makes a `Route` for each look-up: more long-lived objects would lengthen garbage
 * collection pauses.
 */
export class RouteTable {
  readonly #exact = new Map<string, RouteConfig>();
  /** The IDs of `tables`. */
  readonly #table: SharedTable | undefined;
  /** Number of IDs in both `#exact` and `#table`: routes of the command line. */
  #shadowed = 0;
  readonly #globs: GlobRule[] = [];
  readonly #byGlob = new Map<string, RouteConfig>();
  readonly #fallback: Route | undefined;

  /** @param tables The parsed files of `tables`. */
  constructor(routes: readonly RouteConfig[], fallback?: DefaultConfig, tables?: TableData) {
    this.#table = tables && new SharedTable(tables);
    for (const route of routes) this.#add(route);
    this.#fallback = fallback && {
      rule: { kind: "default", text: "" },
      target: fallback,
      hold: fallback.hold,
      onRemoval: "keep",
    };
  }

  /** Builds a table in slices, so that connections are served meanwhile. */
  static async build(
    routes: readonly RouteConfig[],
    fallback?: DefaultConfig,
    tables?: TableData,
  ): Promise<RouteTable> {
    const table = new RouteTable([], fallback, tables);
    const slice = new TimeSlice();
    for (const route of routes) {
      if (slice.over) await slice.rest();
      table.#add(route);
    }
    return table;
  }

  /** Number of rules, including the default. */
  get size(): number {
    return this.exactSize + this.#globs.length + (this.#fallback ? 1 : 0);
  }

  /** Number of IDs with an exact rule. */
  get exactSize(): number {
    return this.#exact.size + (this.#table?.size ?? 0) - this.#shadowed;
  }

  /** The IDs of `tables`, if there are any. */
  get tables(): SharedTable | undefined {
    return this.#table;
  }

  /**
   * The route of `id`: the exact rule, else the first glob in file order, else the default. Its time is bounded by the
   * sum of `Glob.matches` over all globs.
   */
  find(id: string): Route | undefined {
    return this.findExact(id) ?? this.findOther(id);
  }

  /** The rule for exactly this ID: of `routes`, else of `tables`. */
  findExact(id: string): Route | undefined {
    const config = this.#exact.get(id);
    return config ? routeOf(config) : this.findInTables(id);
  }

  /** The first glob in file order that matches, else the default. */
  findOther(id: string): Route | undefined {
    if (this.#globs.length === 0) return this.#fallback;
    const points = codePointsOf(id);
    const match = this.#globs.find(({ glob }) => glob.matches(points));
    return match ? routeOf(match.config) : this.#fallback;
  }

  /**
   * The route of this rule, or of the equal rule of another table. An ID has one rule wherever it is written, so one
   * that has moved into a table is found there.
   */
  routeOf({ kind, text }: Rule): Route | undefined {
    if (kind === "default") return this.#fallback;
    if (kind !== "match") return this.findExact(text);
    const config = this.#byGlob.get(text);
    return config && routeOf(config);
  }

  /**
   * Every rule that a look-up of `id` tries, in order. Of the exact rules that is only the one for this ID, if any.
   *
   * @param redis The answer of Redis, if it was asked. If it has a problem, no glob is selected.
   */
  *trace(id: string, redis?: RedisAnswer): Generator<Step> {
    let found = false;
    const step = (route: Route, matches: boolean): Step => {
      const selected = matches && !found;
      found ||= matches;
      return { route, matches, selected };
    };
    const exact = this.#exact.get(id);
    if (exact) yield step(routeOf(exact), true);
    const entry = this.findInTables(id);
    if (entry) yield step(entry, true);
    if (redis?.route) yield step(redis.route, true);
    found ||= redis?.problem !== undefined;
    const points = codePointsOf(id);
    for (const { glob, config } of this.#globs) yield step(routeOf(config), glob.matches(points));
    if (this.#fallback) yield step(this.#fallback, true);
  }

  /** The IDs of `routes`. */
  ids(): Iterable<string> {
    return this.#exact.keys();
  }

  /** Whether `routes` has a rule for exactly this ID. */
  lists(id: string): boolean {
    return this.#exact.has(id);
  }

  /** The rule of `tables` for an ID, even if `routes` has one too. */
  findInTables(id: string): Route | undefined {
    const entry = this.#table?.find(id);
    return entry && routeOfEntry(entry);
  }

  /** Every rule but those of `tables`, in look-up order. */
  *listed(): Generator<Route> {
    for (const config of this.#exact.values()) yield routeOf(config);
    for (const { config } of this.#globs) yield routeOf(config);
    if (this.#fallback) yield this.#fallback;
  }

  /** Every rule in look-up order, without the first `skipped`. */
  *rules(skipped = 0): Generator<Route> {
    let left = skipped;
    for (const config of this.#exact.values()) if (left-- <= 0) yield routeOf(config);
    left = Math.max(0, skipped - this.#exact.size);
    yield* this.#tableRules(left);
    left = Math.max(0, skipped - this.exactSize);
    for (const { config } of this.#globs) if (left-- <= 0) yield routeOf(config);
    if (this.#fallback && left <= 0) yield this.#fallback;
  }

  *#tableRules(skipped: number): Generator<Route> {
    if (!this.#table) return;
    // shadowed entries are not listed, so the rest must be counted one by one
    let left = this.#shadowed === 0 ? 0 : skipped;
    for (const entry of this.#table.entries(skipped - left)) {
      if (this.#shadowed > 0 && this.#exact.has(entry.id)) continue;
      if (left-- <= 0) yield routeOfEntry(entry);
    }
  }

  #add(config: RouteConfig): void {
    if (config.id !== undefined) {
      this.#exact.set(config.id, config);
      if (this.#table?.has(config.id)) this.#shadowed += 1;
    } else {
      this.#globs.push({ glob: new Glob(config.match), config });
      this.#byGlob.set(config.match, config);
    }
  }
}

function routeOf(config: RouteConfig): Route {
  const { id, match, hold, on_removal: onRemoval = "keep" } = config;
  const rule: Rule = id === undefined ? { kind: "match", text: match } : { kind: "id", text: id };
  return { rule, target: config, hold, onRemoval };
}

/** Connections of an ID that a reload removes from a table stay open. */
function routeOfEntry({ id, file, line, target }: TableEntry): Route {
  const rule: Rule = { kind: "table", text: id, line: { file, line } };
  return { rule, target, hold: undefined, onRemoval: "keep" };
}
