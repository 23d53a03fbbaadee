/** `switchyard serve`: runs the balancer until it is asked to end. */

import { startLog } from "../account/log.ts";
import { Balancer } from "../balancer.ts";
import { readFlags, type Spec } from "./flags.ts";
import { type Io, untilAsked } from "./io.ts";
import { readSettings, SERVE_FLAGS } from "./settings.ts";

export const spec: Spec = {
  name: "serve",
  summary: "Accepts connections, reads each client's ID and relays it to the upstream that its route names.",
  flags: SERVE_FLAGS,
};

/** Exit status 0 after SIGINT or SIGTERM; throws where it cannot listen. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const { config } = await readSettings(readFlags(args, spec));
  await using _log = await startLog(config.log);
  await using _balancer = Balancer.start(config);
  await untilAsked(io);
  return 0;
}
