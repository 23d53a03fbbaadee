/** The routing table: immutable, and swapped whole. */

import type { HostPort, RouteConfig } from "../config/config.ts";

/** How a rule is written in the access log and by `explain`. */
export type RuleName = string;

/** What the table answers for an ID. */
export interface Route {
  /** The rule that matched: `id 1`, `match eu-*` or `default`. */
  readonly rule: RuleName;
  /** Where the ID is to go. */
  readonly upstream: HostPort;
}

interface Glob {
  readonly pattern: RegExp;
  readonly route: Route;
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

/** IDs and the upstreams they go to. */
export class RouteTable {
  readonly #exact = new Map<string, Route>();
  readonly #globs: Glob[] = [];
  readonly #fallback: Route | undefined;

  constructor(routes: readonly RouteConfig[], fallback?: HostPort) {
    for (const rule of routes) {
      const upstream = { host: rule.host, port: rule.port };
      if (rule.id !== undefined) this.#exact.set(rule.id, { rule: `id ${rule.id}`, upstream });
      else this.#globs.push(glob(rule.match, upstream));
    }
    this.#fallback = fallback && { rule: "default", upstream: fallback };
  }

  /** Number of rules, the default among them. */
  get size(): number {
    return this.#exact.size + this.#globs.length + (this.#fallback ? 1 : 0);
  }

  /** The route of `id`: an exact rule, else the first glob in file order, else the default. */
  find(id: string): Route | undefined {
    return this.#exact.get(id) ?? this.#globs.find(({ pattern }) => pattern.test(id))?.route ??
      this.#fallback;
  }

  /** Every rule, in the order in which they are tried. */
  *rules(): Generator<Route> {
    yield* this.#exact.values();
    for (const { route } of this.#globs) yield route;
    if (this.#fallback) yield this.#fallback;
  }
}

function glob(match: string, upstream: HostPort): Glob {
  return { pattern: globToRegExp(match), route: { rule: `match ${match}`, upstream } };
}
