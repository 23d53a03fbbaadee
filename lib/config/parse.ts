/** From the text of a routes.yaml to a configuration that can be relied on. */

import * as v from "valibot";
import { UsageError } from "../errors.ts";
import { decodeText, ReadError } from "../util/read_file.ts";
import { plain } from "../util/text.ts";
import { check, type Problem } from "./check.ts";
import type { Config, RouteConfig, TlsConfig, Upstream } from "./config.ts";
import { checkRules } from "./rules.ts";
import { fileSchema } from "./schema/file.ts";
import type { routeSchema } from "./schema/routes.ts";
import { pathBeside } from "./values.ts";
import { parseYamlValue, type YamlValue } from "./yaml.ts";

/** A file of another kind can be wrong in every line; nobody reads further than this. */
const MOST_PROBLEMS = 1000;

/** `parseConfig` of the `bytes` of `file`. */
export function decodeConfig(bytes: Uint8Array, file: string): Config {
  try {
    return parseConfig(decodeText(bytes, file), file);
  } catch (error) {
    throw error instanceof ReadError ? new UsageError(error.message, { cause: error }) : error;
  }
}

/**
 * The configuration in `text`, defaults filled in.
 *
 * @param file Name that the messages give to the text.
 * @throws {UsageError} with one line for every problem
 */
export function parseConfig(text: string, file: string): Config {
  const tree = treeOf(text, file);
  const problems = lines(tree, file);
  if (problems.length > 0) throw new UsageError(problems);
  const { routes, listeners, default: fallback, ...rest } = v.parse(fileSchema, tree);
  return {
    ...rest,
    listeners: listeners.map((listener) => withFiles(listener, file)),
    ...(fallback && { default: withCa(fallback, file) }),
    routes: routes.map((route) => withCa(toRoute(route), file)),
  };
}

/** What a file that holds nothing but an empty list of routes stands for. */
export function emptyConfig(): Config {
  return parseConfig("routes: []", "the defaults");
}

function treeOf(text: string, file: string): YamlValue {
  try {
    const tree = parseYamlValue(text);
    if (tree === null) throw new UsageError("is empty; expected at least the field routes");
    return tree;
  } catch (error) {
    if (error instanceof UsageError) {
      throw new UsageError(`${plain(file)}: ${error.message}`, { cause: error.cause });
    }
    throw error;
  }
}

/** A line for each problem, up to the limit. */
function lines(tree: YamlValue, file: string): string[] {
  const found: string[] = [];
  for (const { path, message } of problemsIn(tree)) {
    if (found.length === MOST_PROBLEMS) return [...found, `${plain(file)}: and more problems`];
    found.push(`${plain(file)}: ${path === "" ? "" : `${path}: `}${message}`);
  }
  return found;
}

function* problemsIn(tree: YamlValue): Generator<Problem> {
  yield* check(fileSchema, tree);
  yield* checkRules(tree);
}

function withFiles<T extends { tls?: TlsConfig }>(listener: T, file: string): T {
  if (!listener.tls) return listener;
  const { cert, key } = listener.tls;
  return { ...listener, tls: { cert: pathBeside(file, cert), key: pathBeside(file, key) } };
}

function withCa<T extends Upstream>(upstream: T, file: string): T {
  const { tls } = upstream;
  if (typeof tls !== "object" || tls.ca === undefined) return upstream;
  return { ...upstream, tls: { ...tls, ca: pathBeside(file, tls.ca) } };
}

function toRoute({ id, match, ...rest }: v.InferOutput<typeof routeSchema>): RouteConfig {
  return id === undefined ? { match: match ?? "", ...rest } : { id, ...rest };
}
