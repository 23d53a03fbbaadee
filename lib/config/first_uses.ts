/** Helpers for rules about several fields. */

import { describe, type Problem } from "./check.ts";
import { isMapping, type Mapping, type YamlValue } from "./yaml.ts";

/** The field that first used each value. */
export class FirstUses {
  readonly #first = new Map<string, string>();
  readonly #expected: string;

  constructor(expected: string) {
    this.#expected = expected;
  }

  *check(key: string, written: YamlValue | undefined, path: string): Generator<Problem> {
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, path);
    else {yield {
        path,
        message: `found ${describe(written)} again, expected ${this.#expected}; ${first} is the same`,
      };}
  }
}

/** The text that an ID or a glob stands for, or undefined if it is neither text nor a canonical integer. */
export function idText(value: YamlValue | undefined): string | undefined {
  const isText = typeof value === "string" || typeof value === "number" || typeof value === "bigint";
  return isText ? String(value) : undefined;
}

/** The mappings in a list, by their paths. */
export function mappings(name: string, value: YamlValue | undefined): ReadonlyMap<string, Mapping> {
  const found = new Map<string, Mapping>();
  if (!Array.isArray(value)) return found;
  for (const [index, item] of value.entries()) if (isMapping(item)) found.set(`${name}[${index}]`, item);
  return found;
}
