/** `switchyard serve`: runs the balancer until it is asked to end. */

import { getLogger } from "@logtape/logtape";
import { startLog } from "../account/log.ts";
import { Balancer } from "../balancer.ts";
import { readFlags, type Spec } from "./flags.ts";
import { EndRequests, type Io } from "./io.ts";
import { openFilesProblem } from "./open_files.ts";
import { readSettings, SERVE_FLAGS } from "./settings.ts";

const log = getLogger("switchyard");

/** How long the second request to end may take, in milliseconds. */
const AT_ONCE_MS = 500;

export const spec: Spec = {
  name: "serve",
  summary: "Accepts connections, reads each client's ID and relays it to the upstream that its route names.",
  flags: SERVE_FLAGS,
};

/**
 * The first SIGINT or SIGTERM drains: exit status 0 however many connections had to be closed at its end. The second
 * ends the process at once with exit status 1. Throws where it cannot listen.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const { config } = await readSettings(readFlags(args, spec));
  await using _log = await startLog(config.log);
  const problem = openFilesProblem(config);
  await using balancer = Balancer.start(config);
  if (problem !== undefined) log.warning(problem);
  using requests = new EndRequests(io);
  await requests.first;
  return await Promise.race([
    balancer.drain().then(() => 0),
    requests.second.then(() => endNow(balancer)),
  ]);
}

async function endNow(balancer: Balancer): Promise<number> {
  // whatever holds up an orderly end, be it a log that nobody reads
  Deno.unrefTimer(setTimeout(() => Deno.exit(1), AT_ONCE_MS));
  log.warning(`asked to end again: closing ${balancer.active} connections at once`);
  await balancer.close();
  return 1;
}
