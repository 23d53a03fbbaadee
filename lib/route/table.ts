/** The routing table: immutable, and swapped whole. */

import type { DefaultConfig, HoldConfig, OnRemoval, RouteConfig, Target } from "../config/config.ts";
import { TimeSlice } from "../util/async.ts";
import { codePointsOf, Glob } from "./glob.ts";

/** A rule of the table. Of its kind there is at most one with the same text. */
export interface Rule {
  readonly kind: "id" | "match" | "default";
  /** The ID or the glob; empty for the default. */
  readonly text: string;
}

/** `rule` for the access log and the output of `explain`: `id 1`, `match eu-*` or `default`. */
export function ruleText({ kind, text }: Rule): string {
  return kind === "default" ? kind : `${kind} ${text}`;
}

/** The result of a look-up. */
export interface Route {
  /** The rule that matched. */
  readonly rule: Rule;
  /** Where its connections go. */
  readonly target: Target;
  /** How its clients are held while the target cannot be reached; undefined where they are refused. */
  readonly hold: HoldConfig | undefined;
  /** What happens to its connections when a reload removes it. */
  readonly onRemoval: OnRemoval;
}

/** One rule that a look-up has tried. */
export interface Step {
  readonly route: Route;
  /** Whether the rule matches the ID. */
  readonly matches: boolean;
  /** Whether it is the one selected: the first that matches. */
  readonly selected: boolean;
}

interface GlobRule {
  readonly glob: Glob;
  readonly config: RouteConfig;
}

/**
 * IDs and the targets that their connections go to.
 *
 * It keeps the configured routes and makes a `Route` for each look-up: more objects that live on would lengthen the
 * garbage collector's pauses.
 */
export class RouteTable {
  readonly #exact = new Map<string, RouteConfig>();
  readonly #globs: GlobRule[] = [];
  readonly #byGlob = new Map<string, RouteConfig>();
  readonly #fallback: Route | undefined;

  constructor(routes: readonly RouteConfig[], fallback?: DefaultConfig) {
    for (const route of routes) this.#add(route);
    this.#fallback = fallback && {
      rule: { kind: "default", text: "" },
      target: fallback,
      hold: fallback.hold,
      onRemoval: "keep",
    };
  }

  /** Builds a table in slices, so that connections are served meanwhile. */
  static async build(routes: readonly RouteConfig[], fallback?: DefaultConfig): Promise<RouteTable> {
    const table = new RouteTable([], fallback);
    const slice = new TimeSlice();
    for (const route of routes) {
      if (slice.over) await slice.rest();
      table.#add(route);
    }
    return table;
  }

  /** Number of rules, the default among them. */
  get size(): number {
    return this.#exact.size + this.#globs.length + (this.#fallback ? 1 : 0);
  }

  /**
   * The route of `id`: an exact rule, else the first glob in file order, else the default. The time is bounded by the
   * sum over the globs of what `Glob.matches` takes.
   */
  find(id: string): Route | undefined {
    const config = this.#exact.get(id) ?? this.#firstMatch(id);
    return config ? routeOf(config) : this.#fallback;
  }

  /** The route of this rule, or of the equal rule of another table. */
  routeOf({ kind, text }: Rule): Route | undefined {
    if (kind === "default") return this.#fallback;
    const config = (kind === "id" ? this.#exact : this.#byGlob).get(text);
    return config && routeOf(config);
  }

  /**
   * Every rule that a look-up of `id` tries, in that order. Of the exact rules that is only the one for this ID, if
   * there is one.
   */
  *trace(id: string): Generator<Step> {
    let found = false;
    const step = (route: Route, matches: boolean): Step => {
      const selected = matches && !found;
      found ||= matches;
      return { route, matches, selected };
    };
    const exact = this.#exact.get(id);
    if (exact) yield step(routeOf(exact), true);
    const points = codePointsOf(id);
    for (const { glob, config } of this.#globs) yield step(routeOf(config), glob.matches(points));
    if (this.#fallback) yield step(this.#fallback, true);
  }

  /** The exact IDs. */
  ids(): Iterable<string> {
    return this.#exact.keys();
  }

  /** Every rule, in the order in which they are tried. */
  *rules(): Generator<Route> {
    for (const config of this.#exact.values()) yield routeOf(config);
    for (const { config } of this.#globs) yield routeOf(config);
    if (this.#fallback) yield this.#fallback;
  }

  #firstMatch(id: string): RouteConfig | undefined {
    if (this.#globs.length === 0) return undefined;
    const points = codePointsOf(id);
    return this.#globs.find(({ glob }) => glob.matches(points))?.config;
  }

  #add(config: RouteConfig): void {
    if (config.id !== undefined) {
      this.#exact.set(config.id, config);
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
