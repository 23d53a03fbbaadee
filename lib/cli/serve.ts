/** `switchyard serve`: runs the balancer until it is asked to end. */

import { getLogger } from "@logtape/logtape";
import { Log } from "../observe/log.ts";
import { Balancer } from "../balancer.ts";
import type { ReloadResult } from "../observe/observer.ts";
import { loadInBackground } from "../config/load.ts";
import { mountProblem } from "../config/mount_point.ts";
import { FileWatch } from "../config/watch.ts";
import { type Given, readFlags, type Spec } from "./flags.ts";
import { EndRequests, type Io, onHangup } from "./io.ts";
import { openFilesProblem } from "./open_files.ts";
import { Reloader } from "../config/reloader.ts";
import { fileOf, readSettings, SERVE_FLAGS } from "./settings.ts";

const log = getLogger("switchyard");

/** How long the second request to end may take, in milliseconds. */
const AT_ONCE_MS = 500;

export const spec: Spec = {
  name: "serve",
  summary: "Accepts connections, reads each client's ID and relays it to the upstream that its route names.",
  flags: SERVE_FLAGS,
};

/**
 * SIGHUP, or a change of the file, reloads. The first SIGINT or SIGTERM drains: exit status 0 however many connections
 * had to be closed at its end. The second ends the process at once with exit status 1. Throws where it cannot listen.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let reloader: Reloader | undefined;
  // before anything else: without a listener the signal would end the process
  using _hangups = onHangup(io, () => reloader ? void reloader.request() : log.warning(NOTHING_TO_RELOAD));
  const given = readFlags(args, spec);
  const file = fileOf(given);
  await using watch = file === undefined ? undefined : new FileWatch(file);
  const { config, warning } = await readSettings(given);
  await using output = Log.start(config.log);
  const problems = [openFilesProblem(config), file && await mountProblem(file)];
  await using balancer = Balancer.start(config);
  for (const what of [warning, ...problems]) if (what) log.warning(what);
  using requests = new EndRequests(io);
  if (file !== undefined) {
    reloader = new Reloader(file, () => {
      // or the watch would bring the same once more
      watch?.know();
      return reload(given, balancer, output);
    });
  }
  watch?.start({ onChange: () => void reloader?.request(), onBlind });
  await requests.first;
  return await Promise.race([
    balancer.drain().then(() => 0),
    requests.second.then(() => endNow(balancer)),
  ]);
}

const NOTHING_TO_RELOAD = "nothing to reload: the routes are those of the command line";

/** What the command line says goes on saying it. */
async function reload(given: Given, balancer: Balancer, output: Log): Promise<ReloadResult> {
  const { config } = await readSettings(given, loadInBackground);
  const change = await balancer.reload(config);
  output.change(config.log);
  return change;
}

function onBlind(problem: string): void {
  log.warning`cannot watch the configuration's folder, so its file is looked at now and then: ${problem}`;
}

async function endNow(balancer: Balancer): Promise<number> {
  // whatever holds up an orderly end, be it a log that nobody reads
  Deno.unrefTimer(setTimeout(() => Deno.exit(1), AT_ONCE_MS));
  log.warning(`asked to end again: closing ${balancer.active} connections at once`);
  await balancer.close();
  return 1;
}
