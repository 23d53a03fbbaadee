/** The routing table: immutable, and swapped whole. */

import type { OnRemoval, RouteConfig, Upstream } from "../config/config.ts";
import { TimeSlice } from "../util/async.ts";

/** How a rule is written in the access log and by `explain`. */
export type RuleName = string;

/** What the table answers for an ID. */
export interface Route {
  /** The rule that matched: `id 1`, `match eu-*` or `default`. */
  readonly rule: RuleName;
  /** Where the ID is to go. */
  readonly upstream: Upstream;
  /** What becomes of its connections once it is no longer in the table. */
  readonly onRemoval: OnRemoval;
}

/** What looking an ID up makes of a rule. */
export interface Step {
  readonly route: Route;
  /** Whether the rule fits the ID. */
  readonly fits: boolean;
  /** Whether it is the one that is taken: the first that fits. */
  readonly taken: boolean;
}

interface Glob {
  readonly pattern: RegExp;
  readonly config: RouteConfig;
}

/** A glob as a regular expression: `*` is any run of characters, `?` is one, all else stands for itself. */
export function globToRegExp(glob: string): RegExp {
  const runs = glob.replace(/\*+/g, "*");
  const source = runs.replace(/[\\^$.*+?()[\]{}|/]/g, (character) => {
    if (character === "*") return ".*";
    return character === "?" ? "." : `\\${character}`;
  });
  return new RegExp(`^${source}$`, "su");
}

/**
 * IDs and the upstreams they go to.
 *
 * It keeps the configured routes as they are and makes a `Route` when asked: what lives on from a large table makes
 * the garbage collector's pauses long.
 */
export class RouteTable {
  readonly #exact = new Map<string, RouteConfig>();
  readonly #globs: Glob[] = [];
  readonly #globNames = new Map<string, RouteConfig>();
  readonly #fallback: Route | undefined;

  constructor(routes: readonly RouteConfig[], fallback?: Upstream) {
    for (const route of routes) this.#add(route);
    this.#fallback = fallback && { rule: "default", upstream: fallback, onRemoval: "keep" };
  }

  /** The same as the constructor makes, without holding up anything else meanwhile. */
  static async build(routes: readonly RouteConfig[], fallback?: Upstream): Promise<RouteTable> {
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

  /** The route of `id`: an exact rule, else the first glob in file order, else the default. */
  find(id: string): Route | undefined {
    const config = this.#exact.get(id) ?? this.#globs.find(({ pattern }) => pattern.test(id))?.config;
    return config ? routeOf(config) : this.#fallback;
  }

  /** The route of the rule with this name. */
  named(rule: RuleName): Route | undefined {
    if (rule === "default") return this.#fallback;
    const [, kind, text = ""] = /^(id|match) (.*)$/su.exec(rule) ?? [];
    const config = (kind === "id" ? this.#exact : this.#globNames).get(text);
    return config && routeOf(config);
  }

  /**
   * What looking `id` up makes of each rule, in the order in which they are tried. Of the exact rules only the one for
   * this ID is told of, where there is one.
   */
  *trace(id: string): Generator<Step> {
    let found = false;
    const step = (route: Route, fits: boolean): Step => {
      const taken = fits && !found;
      found ||= fits;
      return { route, fits, taken };
    };
    const exact = this.#exact.get(id);
    if (exact) yield step(routeOf(exact), true);
    for (const { pattern, config } of this.#globs) yield step(routeOf(config), pattern.test(id));
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

  #add(config: RouteConfig): void {
    if (config.id !== undefined) {
      this.#exact.set(config.id, config);
    } else {
      this.#globs.push({ pattern: globToRegExp(config.match), config });
      this.#globNames.set(config.match, config);
    }
  }
}

function routeOf(config: RouteConfig): Route {
  const { id, match, on_removal: onRemoval = "keep" } = config;
  return { rule: id === undefined ? `match ${match}` : `id ${id}`, upstream: config, onRemoval };
}
