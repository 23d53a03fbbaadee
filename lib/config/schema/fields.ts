/**
 * The kinds of fields that the sections of the schema are made of.
 *
 * Each message says what is expected; `check.ts` adds the field and the value found.
 */

import * as v from "valibot";
import {
  CIDR_EXPECTED,
  DURATION_EXPECTED,
  HOST_EXPECTED,
  parseCidr,
  parseDuration,
  parseHost,
} from "../values.ts";
import {
  CIDR_PATTERN,
  DURATION_PATTERN,
  HOST_PATTERN,
  POSITIVE_DURATION_PATTERN,
  PRINTABLE_PATTERN,
} from "./patterns.ts";

const FILE_EXPECTED = "the path of a file, relative to the folder of the configuration";
const NETWORKS_EXPECTED = "a list of networks, such as [10.0.0.0/8]";
const MAX_COUNT = 10_000_000;
const COUNT_EXPECTED = `a number of connections, 0 to ${MAX_COUNT}; 0 for no limit`;

/** How a scalar is written, besides what its parser tells. */
interface Written {
  /** For the JSON Schema. */
  readonly pattern: string;
  /** @default text */
  readonly type?: v.GenericSchema<unknown, string | number>;
  /** Explains a refusal further. */
  readonly note?: (text: string) => string;
}

/** A scalar that `parse` turns into a value; undefined from it is a refusal. */
export function parsed<T>(
  parse: (text: string) => T | undefined,
  expected: string,
  description: string,
  { pattern, type = v.string(expected), note = () => "" }: Written,
) {
  return v.pipe(
    type,
    v.description(description),
    v.metadata({ pattern }),
    v.rawTransform(({ dataset, addIssue, NEVER }): T => {
      const text = String(dataset.value);
      const value = parse(text);
      if (value !== undefined) return value;
      addIssue({ message: `${expected}${note(text)}` });
      return NEVER;
    }),
  );
}

/** An integer, `least` to `most`. */
export function integer(
  expected: string,
  description: string,
  { least = 1, most = 65_535 }: { least?: number; most?: number } = {},
) {
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(least, expected),
    v.maxValue(most, expected),
    v.description(description),
  );
}

/** A number of connections; 0 is no limit. */
export function connectionCount(description: string) {
  return integer(COUNT_EXPECTED, `${description}; 0 for no limit.`, { least: 0, most: MAX_COUNT });
}

/** A duration over 0: zero would time out every connection. In milliseconds once parsed. */
export function positiveDuration(fallback: string, description: string) {
  const positive = (text: string) => parseDuration(text) || undefined;
  return v.optional(
    parsed(positive, DURATION_EXPECTED, description, { pattern: POSITIVE_DURATION_PATTERN }),
    fallback,
  );
}

/** A duration that may be 0, also without a unit. In milliseconds once parsed. */
export function duration(fallback: string, description: string) {
  const type = v.union([v.literal(0), v.string()], DURATION_EXPECTED);
  return v.optional(
    parsed(parseDuration, DURATION_EXPECTED, description, { type, pattern: DURATION_PATTERN }),
    fallback,
  );
}

/** The path of a file as it is written; `parse.ts` resolves it. */
export function filePath(description: string) {
  return v.pipe(v.string(FILE_EXPECTED), v.minLength(1, FILE_EXPECTED), v.description(description));
}

/** `true` or `false`. */
export function boolean(fallback: boolean, description: string) {
  return v.optional(v.pipe(v.boolean("true or false"), v.description(description)), fallback);
}

/** Text for which an integer may stand, such as an ID. `yaml.ts` has refused scalars that YAML would change. */
export function scalarText(expected: string, description: string) {
  return v.pipe(
    v.union([v.string(), v.number(), v.bigint()], expected),
    v.description(description),
    v.metadata({ pattern: PRINTABLE_PATTERN }),
    v.transform(String),
  );
}

/** One of a few words. */
export function choice<const T extends readonly string[]>(words: T, description: string) {
  const expected = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return v.pipe(v.picklist(words, expected), v.description(description));
}

/** A host name or an IP address. */
export function host(description: string) {
  return parsed(parseHost, HOST_EXPECTED, description, { pattern: HOST_PATTERN, note: unixNote });
}

function unixNote(text: string): string {
  const isUnix = /^unix:/i.test(text);
  return isUnix ? "; Unix sockets need Deno's --allow-write, and Switchyard runs without it" : "";
}

const network = parsed(parseCidr, CIDR_EXPECTED, "IPv4 or IPv6 address, alone or with a prefix length.", {
  pattern: CIDR_PATTERN,
});

/**
 * A list of at least one item.
 *
 * @param expected The list, in errors.
 * @param least What an empty list lacks.
 */
export function nonEmpty<const Item extends v.GenericSchema>(
  item: Item,
  { expected, least, description }: Readonly<Record<"expected" | "least" | "description", string>>,
) {
  return v.pipe(v.array(item, expected), v.minLength(1, least), v.description(description));
}

/** A list of networks. @param least Why the list may not be empty; without it, it may. */
export function networks(description: string, least?: string) {
  return least === undefined
    ? v.pipe(v.array(network, NETWORKS_EXPECTED), v.description(description))
    : nonEmpty(network, { expected: NETWORKS_EXPECTED, least, description });
}
