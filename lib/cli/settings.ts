/** The configuration that a command works with: the file, and what the command line says instead. */

import type { Config, LogLevel, RouteConfig } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { emptyConfig } from "../config/parse.ts";
import { parseRoute } from "../config/values.ts";
import { UsageError } from "../errors.ts";
import { hostPortText, quote } from "../util/text.ts";
import type { Flag, Given } from "./flags.ts";
import { address, choice, upstream } from "./values.ts";

/** Where the configuration is looked for when `-c` is not given. */
const DEFAULT_FILE = "routes.yaml";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];

const FORMATS: readonly Config["log"]["format"][] = ["text", "json"];

/** The flag that names the file. */
export const FILE_FLAG: Readonly<Record<string, Flag>> = {
  config: { value: "FILE", short: "c", help: `configuration file (${DEFAULT_FILE})` },
};

/** Flags that say what the file would. */
export const SERVE_FLAGS: Readonly<Record<string, Flag>> = {
  ...FILE_FLAG,
  listen: { value: "HOST:PORT", repeated: true, help: "listen here instead of where the file says" },
  route: { value: "ID=HOST:PORT", repeated: true, help: "route ID there, before what the file says" },
  default: { value: "HOST:PORT", help: "where unknown IDs go" },
  "log-level": { value: "LEVEL", choices: LEVELS, help: LEVELS.join(", ") },
  "log-format": { value: "FORMAT", choices: FORMATS, help: FORMATS.join(" or ") },
};

/** Reads the file and puts the flags in place. @throws {UsageError} with every problem. */
export async function readSettings(
  given: Given,
  load: (file: string) => Promise<Config> = loadConfig,
): Promise<{ file: string; config: Config; warning: string | undefined }> {
  const file = fileOf(given);
  const base = file === undefined ? emptyConfig() : await load(file);
  const config = withFlags(base, given);
  return { file: file ?? "the command line", config, warning: replacedWarning(base, config) };
}

/** What is said where `--listen` takes the place of listeners that are more than an address. */
function replacedWarning(base: Config, config: Config): string | undefined {
  if (config.listeners === base.listeners) return undefined;
  for (const { address, ...more } of base.listeners) {
    const lost = Object.keys(more).join(", ");
    if (lost === "") continue;
    const where = hostPortText(address);
    return `--listen replaces the listeners of the file, with the ${lost} of ${where}`;
  }
  return undefined;
}

/** The configuration file, or undefined where routes come from the command line alone. */
export function fileOf(given: Given): string | undefined {
  const alone = given.value("config") === undefined && given.values("route").length > 0;
  return alone ? undefined : given.value("config") ?? DEFAULT_FILE;
}

function withFlags(config: Config, given: Given): Config {
  const problems: string[] = [];
  const listeners = given.values("listen").map((text) => ({
    address: address("--listen", text, problems, 0),
  }));
  const routes = given.values("route").map((text) => routeFlag(text, problems));
  // any free port may be asked for again and again
  const listens = given.values("listen").filter((text) => !text.endsWith(":0"));
  problems.push(...repeated("--listen", listens), ...repeated("--route", routes.map(({ id }) => id)));
  const fallback = given.value("default");
  const level = choice("log-level", LEVELS, given, problems);
  const format = choice("log-format", FORMATS, given, problems);
  const merged = {
    ...config,
    ...(listeners.length > 0 ? { listeners } : {}),
    ...(routes.length > 0 ? { routes: before(routes, config.routes) } : {}),
    ...(fallback === undefined ? {} : { default: upstream("--default", fallback, problems) }),
    log: { ...config.log, ...(level ? { level } : {}), ...(format ? { format } : {}) },
  };
  if (problems.length > 0) throw new UsageError(problems);
  return merged;
}

/** `first`, and what of `others` is for other IDs. */
function before(first: readonly RouteConfig[], others: readonly RouteConfig[]): readonly RouteConfig[] {
  const own = new Set(first.map(({ id }) => id));
  return [...first, ...others.filter(({ id }) => id === undefined || !own.has(id))];
}

/** A problem for each of `values` that has stood before. */
function repeated(flag: string, values: readonly (string | undefined)[]): string[] {
  const again = values.filter((value, index) => value && values.indexOf(value) < index);
  return again.map((value) => `${flag}: ${quote(value)} is given more than once`);
}

function routeFlag(text: string, problems: string[]): RouteConfig {
  const route = parseRoute(text);
  if (!route) problems.push(`--route: ${quote(text)} is not ID=HOST:PORT`);
  return route ?? { id: "", host: "", port: 0 };
}
