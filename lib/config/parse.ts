/** From the text of a routes.yaml to a configuration that can be relied on. */

import * as v from "valibot";
import { messageOf, UsageError } from "../errors.ts";
import { plain } from "../util/text.ts";
import { check, type Problem } from "./check.ts";
import type { Config, RouteConfig, TlsConfig, Upstream } from "./config.ts";
import { checkRules } from "./rules.ts";
import { fileSchema, type routeSchema } from "./schema.ts";
import { pathBeside } from "./values.ts";
import { readTree, type Tree } from "./yaml.ts";

/** Some 300,000 routes: more than anybody writes by hand, and parsed within seconds. */
const LARGEST_FILE = 16 * 2 ** 20;

/** A file of another kind can be wrong in every line; nobody reads further than this. */
const MOST_PROBLEMS = 1000;

/**
 * The configuration in a file.
 *
 * @throws {UsageError} where it cannot be read, or holds anything wrong
 */
export async function loadConfig(file: string): Promise<Config> {
  return parseConfig(decode(await readFile(file), file), file);
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

function treeOf(text: string, file: string): Tree {
  if (text.length > LARGEST_FILE) throw tooLarge(file);
  try {
    const tree = readTree(text);
    if (tree === null) throw new UsageError("is empty; wanted at least the field routes");
    return tree;
  } catch (error) {
    if (error instanceof UsageError) {
      throw new UsageError(`${plain(file)}: ${error.message}`, { cause: error.cause });
    }
    throw error;
  }
}

/** A line for each problem, up to the limit. */
function lines(tree: Tree, file: string): string[] {
  const found: string[] = [];
  for (const { path, message } of problemsIn(tree)) {
    if (found.length === MOST_PROBLEMS) return [...found, `${plain(file)}: and more problems`];
    found.push(`${plain(file)}: ${path === "" ? "" : `${path}: `}${message}`);
  }
  return found;
}

function* problemsIn(tree: Tree): Generator<Problem> {
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

/** Reads no more than the cap, so that a device without an end does no harm. */
async function readFile(file: string): Promise<Uint8Array> {
  try {
    using source = await Deno.open(file);
    if ((await source.stat()).isDirectory) {
      throw new UsageError(`${plain(file)}: is a directory, wanted a file`);
    }
    return await readAtMost(source, LARGEST_FILE, file);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(unreadable(error, file), { cause: error });
  }
}

async function readAtMost(source: Deno.FsFile, most: number, file: string): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of source.readable) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > most) throw tooLarge(file);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function tooLarge(file: string): UsageError {
  return new UsageError(
    `${plain(file)}: is larger than ${LARGEST_FILE / 2 ** 20} MiB, the most that is read`,
  );
}

function unreadable(error: unknown, file: string): string {
  if (error instanceof Deno.errors.NotFound) return `${plain(file)}: there is no such file`;
  if (error instanceof Deno.errors.IsADirectory) return `${plain(file)}: is a directory, wanted a file`;
  return `${plain(file)}: cannot be read: ${messageOf(error).split("\n", 1)[0]}`;
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`${plain(file)}: is not text in UTF-8`, { cause });
  }
}
