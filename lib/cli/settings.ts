/** The configuration of a command: the file, with the flags of the command line applied. */

import type { Config, LogLevel, RouteConfig } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { emptyConfig } from "../config/parse.ts";
import { MOST_WORKERS, WORKERS_EXPECTED } from "../config/schema/workers.ts";
import { isLoopback, parseRoute } from "../config/values.ts";
import { tlsFileProblems } from "../transport/tls/check.ts";
import type { ReadOptions } from "../util/read_file.ts";
import { readToken } from "../admin/token.ts";
import { messageOf, UsageError } from "../errors.ts";
import { readWebhookSecret } from "../observe/webhook_secret.ts";
import { hostPortText, quote } from "../util/text.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { choiceFlag, listenAddress, upstream } from "./values.ts";

/** The configuration file without `-c`. */
const DEFAULT_FILE = "routes.yaml";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];

const FORMATS: readonly Config["log"]["format"][] = ["text", "json"];

/** The flag that names the file. */
export const FILE_FLAG: Readonly<Record<string, Flag>> = {
  config: { value: "FILE", short: "c", help: `configuration file (${DEFAULT_FILE}); - is standard input` },
};

/** The file as an argument. */
export const FILE_ARGUMENT = "[FILE]";

/** Flags that override the file. */
export const SERVE_FLAGS: Readonly<Record<string, Flag>> = {
  ...FILE_FLAG,
  listen: { value: "HOST:PORT", repeated: true, help: "listen here instead of on the file's listeners" },
  route: { value: "ID=HOST:PORT", repeated: true, help: "add a route, before those of the file" },
  default: { value: "HOST:PORT", help: "upstream of unknown IDs" },
  admin: { value: "HOST:PORT|off", help: "serve the admin API here, or off" },
  workers: { value: "N|auto", help: "threads that accept and relay" },
  "log-level": { value: "LEVEL", choices: LEVELS, help: LEVELS.join(", ") },
  "log-format": { value: "FORMAT", choices: FORMATS, help: FORMATS.join(" or ") },
};

/** A configuration with the flags of the command line applied. */
export interface Settings {
  /** Its file, for messages. */
  readonly file: string;
  readonly config: Config;
  /** A warning about an effect of the flags that is probably not intended. */
  readonly warning: string | undefined;
}

/** How a command reads its configuration. */
export interface SettingsOptions {
  /** The file, if it was given as an argument instead of by `-c`. */
  readonly argument?: string | undefined;
  /**
   * Called with `pipe: true` if the file is named on the command line.
   *
   * @default loadConfig
   */
  readonly load?: (file: string, options: ReadOptions) => Promise<Config>;
}

/** Reads the file and applies the flags. @throws {UsageError} with every problem */
export async function readSettings(
  flags: ParsedFlags,
  { argument, load = loadConfig }: SettingsOptions = {},
): Promise<Settings> {
  const file = fileOf(flags, argument);
  const pipe = (argument ?? flags.value("config")) !== undefined;
  const base = file === undefined ? emptyConfig() : await load(file, { pipe });
  const config = withFlags(base, flags);
  return { file: file ?? "the command line", config, warning: replacedWarning(base, config) };
}

/** The same for a configuration to serve: the files of certificates, of the token and of secrets are checked too. */
export async function readServeSettings(flags: ParsedFlags, options?: SettingsOptions): Promise<Settings> {
  const settings = await readSettings(flags, options);
  const { file, config } = settings;
  const problems = [
    ...await tlsFileProblems(config),
    ...await tokenProblems(config),
    ...await secretProblems(config),
  ];
  if (problems.length > 0) {
    throw new UsageError(problems.map((problem) => ({ file, ...problem })));
  }
  return settings;
}

type FileProblem = Readonly<Record<"path" | "message", string>>;

async function tokenProblems({ admin }: Config): Promise<FileProblem[]> {
  return await problemsOf("admin.token_file", admin ? admin.token_file : undefined, readToken);
}

async function secretProblems({ webhooks }: Config): Promise<FileProblem[]> {
  const checks = webhooks.map(({ secret_file: file }, index) =>
    problemsOf(`webhooks[${index}].secret_file`, file, readWebhookSecret)
  );
  return (await Promise.all(checks)).flat();
}

/** The problem with the file at `path` of the configuration that `read` reports, if there is such a file. */
async function problemsOf(
  path: string,
  file: string | undefined,
  read: (file: string) => Promise<unknown>,
): Promise<FileProblem[]> {
  if (file === undefined) return [];
  try {
    await read(file);
    return [];
  } catch (error) {
    return [{ path, message: messageOf(error) }];
  }
}

/** The warning if `--listen` replaces listeners that have more than an address. */
function replacedWarning(base: Config, config: Config): string | undefined {
  if (config.listeners === base.listeners) return undefined;
  for (const { address, ...more } of base.listeners) {
    const lost = Object.keys(more).join(" and ");
    if (lost === "") continue;
    const where = hostPortText(address);
    return `--listen replaces the listeners of the file, without ${lost} of ${where}`;
  }
  return undefined;
}

/** The configuration file, or undefined if routes come from the command line alone. */
export function fileOf(flags: ParsedFlags, argument?: string): string | undefined {
  const named = flags.value("config");
  if (argument !== undefined && named !== undefined) {
    throw new UsageError(`the configuration is given twice: ${quote(argument)} and -c ${quote(named)}`);
  }
  const alone = (argument ?? named) === undefined && flags.values("route").length > 0;
  return alone ? undefined : argument ?? named ?? DEFAULT_FILE;
}

function withFlags(config: Config, flags: ParsedFlags): Config {
  const problems: string[] = [];
  const listeners = flags.values("listen").map((text) => ({
    address: listenAddress("--listen", text, problems),
  }));
  const routes = flags.values("route").map((text) => routeFlag(text, problems));
  // port 0 may be given several times: each time it is another free port
  const listens = flags.values("listen").filter((text) => !text.endsWith(":0"));
  problems.push(...repeated("--listen", listens), ...repeated("--route", routes.map(({ id }) => id)));
  const fallback = flags.value("default");
  const admin = adminFlag(flags.value("admin"), config.admin, problems);
  const level = choiceFlag("log-level", LEVELS, flags, problems);
  const format = choiceFlag("log-format", FORMATS, flags, problems);
  const workers = workersFlag(flags.value("workers"), config.workers, problems);
  const merged = {
    ...config,
    workers,
    ...(listeners.length > 0 ? { listeners } : {}),
    ...(routes.length > 0 ? { routes: before(routes, config.routes) } : {}),
    admin,
    ...(fallback === undefined ? {} : { default: upstream("--default", fallback, problems) }),
    log: { ...config.log, ...(level ? { level } : {}), ...(format ? { format } : {}) },
  };
  if (problems.length > 0) throw new UsageError(problems);
  return merged;
}

/** Keeps the configured token file, which no flag can name. */
function adminFlag(text: string | undefined, admin: Config["admin"], problems: string[]): Config["admin"] {
  if (text === undefined) return admin;
  if (text === "off") return false;
  const given = listenAddress("--admin", text, problems, "off or ");
  if (given.host !== "" && !isLoopback(given.host) && !(admin && admin.token_file !== undefined)) {
    problems.push(
      `--admin: ${
        quote(text)
      } is not a loopback address; set admin.token_file in the configuration, or use 127.0.0.1`,
    );
  }
  return { ...(admin || {}), address: given };
}

function workersFlag(
  text: string | undefined,
  workers: Config["workers"],
  problems: string[],
): Config["workers"] {
  if (text === undefined || text === "auto") return text ?? workers;
  const given = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (given >= 1 && given <= MOST_WORKERS) return given;
  problems.push(`--workers: ${quote(text)} is not ${WORKERS_EXPECTED}`);
  return workers;
}

/** `first`, and those of `others` that are for other IDs. */
function before(first: readonly RouteConfig[], others: readonly RouteConfig[]): readonly RouteConfig[] {
  const own = new Set(first.map(({ id }) => id));
  return [...first, ...others.filter(({ id }) => id === undefined || !own.has(id))];
}

/** A problem for each of `values` that is repeated. */
function repeated(flag: string, values: readonly (string | undefined)[]): string[] {
  const again = values.filter((value, index) => value && values.indexOf(value) < index);
  return again.map((value) => `${flag}: ${quote(value)} is given more than once`);
}

function routeFlag(text: string, problems: string[]): RouteConfig {
  const route = parseRoute(text);
  if (!route) problems.push(`--route: ${quote(text)} is not ID=HOST:PORT, such as 1=n1.example.com:7777`);
  return route ?? { id: "", host: "", port: 0 };
}
