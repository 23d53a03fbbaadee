/** `switchyard check`: every error of a configuration, or a summary of what it would run. */

import { X509Certificate } from "node:crypto";
import { type Config, DEFAULT_CONNECTIONS, type ListenerConfig } from "../config/config.ts";
import { configWarnings, type Warning } from "../config/warnings.ts";
import { UsageError } from "../errors.ts";
import { redisText } from "../route/redis/inspect.ts";
import { isPipe, readText, statFile } from "../util/read_file.ts";
import { counted, durationText, hostPortText, plain, quote, targetText } from "../util/text.ts";
import { type Paint, painter } from "./colors.ts";
import { type CommandSpec, type ParsedFlags, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { poolSummaries } from "./pools.ts";
import { FILE_ARGUMENT, FILE_FLAG, readServeSettings } from "./settings.ts";
import { wrap } from "./usage.ts";
import { threadsOf } from "../workers/count.ts";

export const spec: CommandSpec = {
  name: "check",
  summary: "Reports every error of a configuration, or a summary of what it would run.",
  positional: [FILE_ARGUMENT],
  flags: { ...FILE_FLAG, json: { help: "the summary, or the errors, as JSON" } },
  examples: ["check", "check /etc/switchyard/routes.yaml", "check -c - < routes.yaml"],
};

/** A listener, for the summary. */
interface ListenerSummary {
  readonly address: string;
  readonly transports: readonly string[];
  readonly tls?: { readonly subject: string; readonly expires: string };
  readonly proxy_protocol?: readonly string[];
}

/** Exit status 0, also with warnings; 2 with errors. @throws {UsageError} with every error, unless the output is JSON */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const flags = readFlags(args, spec);
  try {
    return await summarize(flags, io);
  } catch (error) {
    if (!(error instanceof UsageError) || !flags.has("json")) throw error;
    io.out(JSON.stringify({ problems: error.details }));
    return 2;
  }
}

async function summarize(flags: ParsedFlags, io: Io): Promise<number> {
  const { file, config } = await readServeSettings(flags, { argument: flags.positional[0] });
  const modes = await modeWarnings(file);
  const listeners = await Promise.all(config.listeners.map(listenerSummary));
  const warnings = [...configWarnings(config), ...expiryWarnings(listeners), ...modes];
  if (flags.has("json")) io.out(JSON.stringify(jsonSummary(file, config, listeners, warnings)));
  else for (const line of textSummary(file, config, listeners, warnings, painter(io, "out"))) io.out(line);
  return 0;
}

async function modeWarnings(file: string): Promise<Warning[]> {
  if (await isPipe(file) || file === "the command line") return [];
  const { mode } = await statFile(file);
  const isOpen = mode !== null && (mode & 0o002) !== 0;
  return isOpen ? [{ path: "", message: "every user of this machine can write to it: chmod o-w" }] : [];
}

/** Time before its expiry from which a certificate causes a warning, in milliseconds: 7 days. */
const EXPIRES_SOON_MS = 7 * 86_400_000;

function* expiryWarnings(listeners: readonly ListenerSummary[]): Generator<Warning> {
  for (const [index, { tls }] of listeners.entries()) {
    const left = tls ? Date.parse(tls.expires) - Date.now() : Infinity;
    if (left > EXPIRES_SOON_MS) continue;
    const message = left <= 0
      ? "the certificate has expired: renew it"
      : "the certificate expires within 7 days: renew it";
    yield { path: `listeners[${index}].tls.cert`, message };
  }
}

async function listenerSummary(
  { address, tls, websocket, proxy_protocol }: ListenerConfig,
): Promise<ListenerSummary> {
  const certificate = tls && new X509Certificate(await readText(tls.cert));
  return {
    address: hostPortText(address),
    transports: websocket === false ? ["tcp"] : ["tcp", "websocket"],
    ...(certificate && {
      tls: {
        subject: certificate.subject?.replaceAll("\n", ", ") ?? "no subject",
        expires: new Date(certificate.validTo).toISOString(),
      },
    }),
    ...(proxy_protocol && { proxy_protocol: proxy_protocol.trusted }),
  };
}

function* textSummary(
  file: string,
  config: Config,
  listeners: readonly ListenerSummary[],
  warnings: readonly Warning[],
  paint: Paint,
): Generator<string> {
  yield `${file}: ${paint("good", "ok")}`;
  for (const { address, transports, tls, proxy_protocol: trusted } of listeners) {
    const more = [
      ...(tls ? [`TLS (${plain(tls.subject)}, expires ${tls.expires.slice(0, 10)})`] : []),
      ...(trusted ? [`PROXY from ${trusted.join(", ")}`] : []),
    ];
    yield `listener: ${address}: ${[transports.join(" and "), ...more].join(", ")}`;
  }
  if (config.workers !== 1) yield `workers: ${workersText(config)}`;
  const { byId, byGlob } = routeCounts(config);
  yield `routes: ${byId} by ID, ${byGlob} by glob, ${fallbackText(config)}`;
  yield* tableSummaries(config);
  yield* redisSummary(config);
  yield* poolSummaries(config);
  const connections = config.limits.connections ?? `${DEFAULT_CONNECTIONS} or as open files allow`;
  yield* wrapped("limits", Object.entries({ ...config.limits, connections }));
  yield* wrapped("timeouts", durations(config));
  const warning = paint("doubtful", "warning:");
  for (const { path, message } of warnings) {
    yield `${warning} ${path === "" ? file : path}: ${plain(message)}`;
  }
}

function workersText(config: Config): string {
  return config.workers === "auto" ? `auto, which is ${threadsOf(config)} here` : `${config.workers}`;
}

/** A line for each file of `tables`. A recognised header may be a line with a mistake. */
function* tableSummaries({ tableData }: Config): Generator<string> {
  for (const { name, size, header } of tableData?.files ?? []) {
    const skipped = header ? `, line ${header.line} is a header: ${plain(quote(header.text))}` : "";
    yield `table ${plain(name)}: ${counted(size, "ID")}${skipped}`;
  }
}

/** Does not connect: a configuration is often checked where Redis cannot be reached. */
function* redisSummary({ redis }: Config): Generator<string> {
  if (!redis) return;
  const { timeout, stale, negative_ttl } = redis;
  const times = `asked within ${durationText(timeout)}, known IDs kept for ${durationText(stale)} without it`;
  yield `redis: ${redisText(redis)}, ${times}, unknown ones for ${durationText(negative_ttl)}`;
}

const NO_BREAK = "\u00a0";

function* wrapped(name: string, fields: readonly (readonly [string, string | number])[]): Generator<string> {
  // a line is not broken between a name and its value
  const text = fields.map((field) => field.join(NO_BREAK)).join(", ");
  const [first = "", ...others] = wrap(`${name}: ${text}`, 78).map((line) => line.replaceAll(NO_BREAK, " "));
  yield first;
  for (const line of others) yield `  ${line}`;
}

function jsonSummary(
  file: string,
  config: Config,
  listeners: readonly ListenerSummary[],
  warnings: readonly Warning[],
) {
  const { byId, byGlob } = routeCounts(config);
  return {
    file,
    problems: [],
    listeners,
    workers: config.workers,
    routes: {
      by_id: byId,
      by_glob: byGlob,
      ...(config.default && { default: targetText(config.default) }),
    },
    tables: (config.tableData?.files ?? []).map(({ name, size, header }) => ({
      file: name,
      ids: size,
      ...(header && { header }),
    })),
    ...(config.redis && { redis: redisText(config.redis) }),
    pools: Object.keys(config.pools),
    limits: config.limits,
    timeouts: Object.fromEntries(durations(config)),
    warnings,
  };
}

function routeCounts({ routes }: Config): { byId: number; byGlob: number } {
  const byId = routes.filter(({ id }) => id !== undefined).length;
  return { byId, byGlob: routes.length - byId };
}

function durations({ timeouts }: Config): [name: string, value: string][] {
  return Object.entries(timeouts).map(([name, value]) => [name, durationText(value)]);
}

function fallbackText({ default: fallback }: Config): string {
  return fallback ? `other IDs to ${targetText(fallback)}` : "no default: other IDs get UNKNOWN_ID";
}
