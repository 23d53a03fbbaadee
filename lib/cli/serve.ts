/** `switchyard serve`: runs the balancer until it is asked to end. */

import { getLogger } from "@logtape/logtape";
import { Log } from "../observe/log.ts";
import type { Balancer } from "../balancer.ts";
import { BackgroundLoader, loadConfig, type LoadOptions } from "../config/load.ts";
import type { Config } from "../config/config.ts";
import { mountProblem } from "../config/mount_point.ts";
import type { ReloadResult } from "../config/reload_result.ts";
import { FileWatch } from "../config/watch.ts";
import { type Measured, RunningAdmin, startMeasured } from "./admin.ts";
import { type CommandSpec, type ParsedFlags, readFlags } from "./flags.ts";
import { type Io, onHangup, ShutdownSignals } from "./io.ts";
import { OpenFiles } from "./open_files.ts";
import { Reloader } from "../config/reloader.ts";
import { messageOf } from "../errors.ts";
import { isPipe } from "../util/read_file.ts";
import { counted } from "../util/text.ts";
import { threadsOf, workersProblem } from "../workers/count.ts";
import { versionText } from "./version.ts";
import { fileOf, readServeSettings, SERVE_FLAGS, type SettingsOptions } from "./settings.ts";

const log = getLogger("switchyard");

/** How long the second request to end may take, in milliseconds. */
const AT_ONCE_MS = 500;

export const spec: CommandSpec = {
  name: "serve",
  summary: "Accepts connections and relays each to the upstream that its client's ID is routed to.",
  flags: SERVE_FLAGS,
  examples: ["serve -c routes.yaml", "serve --route 1=n1.example.com:7777 --listen :8888"],
};

/**
 * SIGHUP, or a change of the file or of a table, reloads. The first SIGINT or SIGTERM drains: exit status 0, even if
 * connections had to be closed at its end. The second ends the process at once with exit status 1. Throws if it cannot
 * listen.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let reloader: Reloader | undefined;
  // first of all: without a listener the signal would end the process
  using _hangups = onHangup(io, () => reloader ? void reloader.request() : log.warning(NOTHING_TO_RELOAD));
  const flags = readFlags(args, spec);
  const file = await watchedFile(flags);
  const watch = file === undefined ? undefined : await FileWatch.create(file);
  const onTables = (paths: readonly string[]) => watch?.follow(paths);
  const load: Load = (file, options) => loadConfig(file, { ...options, onTables });
  const { config, warning } = await readServeSettings(flags, { load });
  using loader = loaderFor(config);
  // disposed of last: a second signal must not end the process by itself while the rest is closed
  using signals = new ShutdownSignals(io);
  await using output = Log.start(config.log);
  const openFiles = openFilesOf(config);
  const limited = openFiles.withLimit(config);
  const problems = [warning, openFiles.problem(config), file && await mountProblem(file)];
  const reasons = new EndReasons(signals);
  const measured = await startMeasured(limited, (problem) => reasons.fail(problem));
  await using _webhooks = measured.webhooks;
  await using balancer = measured.balancer;
  logStart(limited, file, problems);
  // listeners are open by now: this takes a while, and a low limit is rare
  await using rest = tryRestOfFiles(openFiles, config, balancer);
  const controls = { reload: () => reloader?.request(), drain: () => reasons.ask() };
  await using admin = new RunningAdmin(measured, controls);
  const served = admin.change(config.admin);
  if (file !== undefined) {
    const parts = { ...measured, admin, output, openFiles, threads: threadsOf(config), loader, onTables };
    // the watch is told, or it would report the same change once more
    const ready = () => Promise.all([watch?.know(), rest.done]);
    reloader = new Reloader(file, () => ready().then(() => reload(flags, parts)));
  }
  await served;
  watch?.start({ onChange: () => void reloader?.request(), onBlind });
  const status = await reasons.first;
  watch?.stop();
  return await Promise.race([drain(balancer, status), signals.second.then(() => endNow(balancer))]);
}

/** Why the balancer is to drain: a signal, the admin API, or a fault that it cannot recover from. */
class EndReasons {
  /** The exit status after the drain. */
  readonly first: Promise<number>;
  readonly #others = Promise.withResolvers<number>();

  constructor(signals: ShutdownSignals) {
    this.first = Promise.race([signals.first.then(() => 0), this.#others.promise]);
  }

  ask(): void {
    this.#others.resolve(0);
  }

  fail(problem: string): void {
    log.error(`${problem}: draining, to end with exit status 1`);
    this.#others.resolve(1);
  }
}

async function drain(balancer: Balancer, status: number): Promise<number> {
  await balancer.drain();
  return status;
}

type Load = NonNullable<SettingsOptions["load"]>;

/** Where a reload takes a thread of its own, that is started before there are connections to hold up. */
function loaderFor({ tables }: Config): BackgroundLoader {
  const loader = new BackgroundLoader();
  if (tables.length > 0) loader.start();
  return loader;
}

/** With workers all files are tried here: a worker might need one while the last are open. */
function openFilesOf(config: Config): OpenFiles {
  const openFiles = new OpenFiles(config);
  if (threadsOf(config) > 1) openFiles.tryAll();
  return openFiles;
}

/** Tries the rest of the files while the balancer serves, until it is disposed of, and applies what it finds. */
function tryRestOfFiles(
  openFiles: OpenFiles,
  config: Config,
  balancer: Balancer,
): AsyncDisposable & { readonly done: Promise<void> } {
  const stop = new AbortController();
  const done = limitByRest(openFiles, config, balancer, stop.signal)
    .catch((error) => log.warning`cannot apply the limit of open files: ${messageOf(error)}`);
  return {
    done,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

async function limitByRest(
  openFiles: OpenFiles,
  config: Config,
  balancer: Balancer,
  signal: AbortSignal,
): Promise<void> {
  const isLower = await openFiles.tryRest(() => balancer.active, signal);
  if (!isLower || balancer.engine.draining) return;
  const problem = openFiles.problem(config);
  if (problem) log.warning(problem);
  if (config.limits.connections !== undefined) return;
  const limited = openFiles.withLimit(config);
  await balancer.reload(limited, { observed: false });
  log.info(`the limit of open files allows ${limited.limits.connections} connections`);
}

/** Logs what is running, and what may be wrong with it, once every listener is open. */
function logStart(
  config: Config,
  file: string | undefined,
  problems: readonly (string | undefined)[],
): void {
  const { routes, tableData, listeners, limits } = config;
  const threads = threadsOf(config);
  const parts = [
    file ?? "no file to watch",
    counted(routes.length + (tableData?.size ?? 0), "route"),
    counted(listeners.length, "listener"),
    ...(threads > 1 ? [counted(threads, "worker")] : []),
    `at most ${limits.connections || "any number of"} connections`,
  ];
  log.info(`${versionText()} started: ${parts.join(", ")}`);
  for (const problem of [workersProblem(config), ...problems]) if (problem) log.warning(problem);
}

const WORKERS_STAY = "workers has changed: this takes effect after a restart";

const NOTHING_TO_RELOAD = "nothing to reload: the configuration is that of the command line or of a pipe";

/** The file that can be read again: not a pipe, which is permitted if the command line names it. */
async function watchedFile(flags: ParsedFlags): Promise<string | undefined> {
  const file = fileOf(flags);
  if (file === undefined) return undefined;
  return flags.value("config") !== undefined && await isPipe(file) ? undefined : file;
}

/** Reads the file again; flags of the command line keep overriding it. */
async function reload(flags: ParsedFlags, running: Running): Promise<ReloadResult> {
  try {
    return await apply(flags, running);
  } catch (error) {
    running.metrics?.reloadFailed();
    throw error;
  }
}

/** The parts that a reload changes. */
interface Running extends Measured {
  readonly admin: RunningAdmin;
  readonly output: Log;
  readonly openFiles: OpenFiles;
  /** Number of threads that were started. */
  readonly threads: number;
  readonly loader: BackgroundLoader;
  readonly onTables: NonNullable<LoadOptions["onTables"]>;
}

async function apply(
  flags: ParsedFlags,
  { balancer, webhooks, admin, output, openFiles, threads, loader, onTables }: Running,
): Promise<ReloadResult> {
  const { tableData: previous } = balancer.engine.config;
  const load = (file: string) => loader.load(file, { onTables, previous });
  const { config } = await readServeSettings(flags, { load });
  const { admin: before } = balancer.engine.config;
  await admin.change(config.admin);
  const change = await balancer.reload(openFiles.withLimit(config)).catch(async (error) => {
    await admin.change(before);
    throw error;
  });
  webhooks.configure(config.webhooks);
  if (threadsOf(config) !== threads) log.warning(WORKERS_STAY);
  output.change(config.log);
  return change;
}

function onBlind(problem: string): void {
  log
    .warning`cannot watch the folder of the configuration or of a table, checking the files every 5 seconds instead: ${problem}`;
}

async function endNow(balancer: Balancer): Promise<number> {
  // in case something blocks an orderly end, such as a log that nobody reads
  Deno.unrefTimer(setTimeout(() => Deno.exit(1), AT_ONCE_MS));
  const { active } = await balancer.engine.stats();
  log.warning(`asked again to end: closing ${active} connections at once`);
  await balancer.close();
  return 1;
}
