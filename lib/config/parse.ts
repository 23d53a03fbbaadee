/** Parses and checks the text of a routes.yaml. */

import * as v from "valibot";
import { type ProblemDetail, UsageError } from "../errors.ts";
import { decodeText, ReadError } from "../util/read_file.ts";
import { plain } from "../util/text.ts";
import { check, type Problem } from "./check.ts";
import type {
  AdminConfig,
  Config,
  DefaultConfig,
  KeyPairFiles,
  PoolConfig,
  RedisConfig,
  RouteConfig,
  TlsConfig,
  Upstream,
} from "./config.ts";
import { locateFields, type Position } from "./locate.ts";
import { checkRules } from "./rules.ts";
import { fileSchema } from "./schema/file.ts";
import type { defaultSchema, routeSchema } from "./schema/routes.ts";
import { pathBeside } from "./values.ts";
import { parseYamlValue, YamlError, type YamlValue } from "./yaml.ts";

type Entry = v.InferOutput<typeof routeSchema>;
type TargetEntry = v.InferOutput<typeof defaultSchema>;

/** Most reported problems: a file of another kind can be wrong in every line. */
const MAX_PROBLEMS = 1000;

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
 * @param file Name of the text in messages.
 * @throws {UsageError} with one line for every problem
 */
export function parseConfig(text: string, file: string): Config {
  const value = valueOf(text, file);
  const problems = problemsOf(value, text, file);
  if (problems.length > 0) throw new UsageError(problems);
  const { routes, listeners, admin, pools, webhooks, redis, default: fallback, ...rest } = v.parse(
    fileSchema,
    value,
  );
  return {
    ...rest,
    admin: admin && withTokenFile(admin, file),
    listeners: listeners.map((listener) => withFiles(listener, file)),
    ...(fallback && { default: toTarget(fallback, file) }),
    ...(redis && { redis: withRedisFiles(redis, file) }),
    routes: routes.map((route) => toRoute(route, file)),
    webhooks: webhooks.map((webhook) => withSecretFile(webhook, file)),
    pools: Object.fromEntries(Object.entries(pools).map(([name, pool]) => [name, withCas(pool, file)])),
  };
}

/** The configuration of a file with an empty list of routes: the defaults. */
export function emptyConfig(): Config {
  return parseConfig("routes: []", "the defaults");
}

function valueOf(text: string, file: string): YamlValue {
  try {
    const value = parseYamlValue(text);
    if (value === null) throw new YamlError("is empty; expected at least the field routes");
    return value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { message, where, cause } = error;
    const problem = typeof where === "string" ? { path: where, message } : { path: "", message };
    const [position] = typeof where === "string" ? locateFields(text, [problem]) : [where];
    throw new UsageError([located(problem, file, position)], { cause });
  }
}

/** Every problem with its place, up to the limit. */
function problemsOf(value: YamlValue, text: string, file: string): ProblemDetail[] {
  const found = [...problemsIn(value).take(MAX_PROBLEMS + 1)];
  const problems = allLocated(found.slice(0, MAX_PROBLEMS), text, file);
  return found.length <= MAX_PROBLEMS
    ? problems
    : [...problems, { file: plain(file), message: "and more problems" }];
}

/**
 * Locates problems that were found after the file itself was parsed.
 *
 * @param bytes The content of `file`.
 */
export function locateProblems(
  problems: readonly Problem[],
  bytes: Uint8Array,
  file: string,
): ProblemDetail[] {
  return problems.length === 0 ? [] : allLocated(problems, decodeText(bytes, file), file);
}

/** In the order of the file; those at one place stay in their order. */
function allLocated(problems: readonly Problem[], text: string, file: string): ProblemDetail[] {
  const positions = locateFields(text, problems);
  return problems.map((problem, index) => located(problem, file, positions[index])).sort(byPlace);
}

function byPlace(one: ProblemDetail, other: ProblemDetail): number {
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}

function located(problem: Problem, file: string, position: Position | undefined): ProblemDetail {
  const { path, message, found, wanted } = problem;
  return {
    file: plain(file),
    ...position,
    ...(path !== "" && { path }),
    message,
    ...(found !== undefined && { found }),
    ...(wanted !== undefined && { wanted }),
  };
}

function* problemsIn(value: YamlValue): Generator<Problem> {
  yield* check(fileSchema, value);
  yield* checkRules(value);
}

function withTokenFile(admin: AdminConfig, file: string): AdminConfig {
  const { token_file } = admin;
  return token_file === undefined ? admin : { ...admin, token_file: pathBeside(file, token_file) };
}

function withSecretFile<T extends { secret_file?: string }>(webhook: T, file: string): T {
  const { secret_file } = webhook;
  return secret_file === undefined ? webhook : { ...webhook, secret_file: pathBeside(file, secret_file) };
}

function withFiles<T extends { tls?: TlsConfig }>(listener: T, file: string): T {
  if (!listener.tls) return listener;
  const { tls } = listener;
  const { certificates, client_ca } = tls;
  return {
    ...listener,
    tls: {
      ...tls,
      ...pairBeside(file, tls),
      ...(certificates && { certificates: certificates.map((pair) => pairBeside(file, pair)) }),
      ...(client_ca !== undefined && { client_ca: pathBeside(file, client_ca) }),
    },
  };
}

function pairBeside(file: string, { cert, key }: KeyPairFiles): KeyPairFiles {
  return { cert: pathBeside(file, cert), key: pathBeside(file, key) };
}

function withRedisFiles({ sentinel, ...redis }: RedisConfig, file: string): RedisConfig {
  return withCa({
    ...withPasswordFile(redis, file),
    ...(sentinel && { sentinel: withPasswordFile(sentinel, file) }),
  }, file);
}

function withPasswordFile<T extends { password_file?: string }>(login: T, file: string): T {
  const { password_file } = login;
  return password_file === undefined ? login : { ...login, password_file: pathBeside(file, password_file) };
}

function withCa<T extends Pick<Upstream, "tls">>(upstream: T, file: string): T {
  const { tls } = upstream;
  if (typeof tls !== "object") return upstream;
  const { ca, cert, key } = tls;
  return {
    ...upstream,
    tls: {
      ...tls,
      ...(ca !== undefined && { ca: pathBeside(file, ca) }),
      ...(cert !== undefined && { cert: pathBeside(file, cert) }),
      ...(key !== undefined && { key: pathBeside(file, key) }),
    },
  };
}

function withCas(pool: PoolConfig, file: string): PoolConfig {
  return { ...pool, servers: pool.servers.map((server) => withCa(server, file)) };
}

function toRoute(route: Entry, file: string): RouteConfig {
  const { id, match, on_removal, ...target } = route;
  const rule = id === undefined ? { match: match ?? "" } : { id };
  return { ...rule, ...toTarget(target, file), ...(on_removal && { on_removal }) };
}

/** `checkRules` guarantees either a pool, or a host and a port. */
function toTarget({ pool, host = "", port = 0, tls, hold }: TargetEntry, file: string): DefaultConfig {
  const held = hold ? { hold } : {};
  if (pool !== undefined) return { pool, ...held };
  return { ...withCa({ host, port, ...(tls === undefined ? {} : { tls }) }, file), ...held };
}
