/** `switchyard upstream`: the acceptance server. */

import { AcceptanceServer, type ServerMode } from "../acceptance/server.ts";
import type { HostPort } from "../config/config.ts";
import { messageOf, UsageError } from "../errors.ts";
import { addressText, hostPortText } from "../util/text.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import { type Io, untilAsked } from "./io.ts";
import { choiceFlag, listenAddress } from "./values.ts";

const MODES: readonly ServerMode[] = ["receipt", "echo", "sink"];

export const spec: CommandSpec = {
  name: "upstream",
  summary: "Serves as an upstream: answers each client with a receipt of the numbers received.",
  flags: {
    listen: { value: "HOST:PORT", repeated: true, required: true, help: "where to listen" },
    mode: {
      value: "MODE",
      choices: MODES,
      help: "receipt (the default), echo, or sink, which discards everything",
    },
  },
  examples: ["upstream --listen 127.0.0.1:7777", "upstream --listen :7777 --mode echo"],
};

/** Exit status 0 after SIGINT or SIGTERM; throws if it cannot listen. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const problems: string[] = [];
  const flags = readFlags(args, spec, problems);
  const addresses = flags.values("listen").map((text) => listenAddress("--listen", text, problems));
  const mode = choiceFlag("mode", MODES, flags, problems) ?? "receipt";
  if (problems.length > 0) throw new UsageError(problems);
  await using servers = new AsyncDisposableStack();
  for (const one of addresses) servers.use(start(one, mode, io));
  await untilAsked(io);
  return 0;
}

function start(where: HostPort, mode: ServerMode, io: Io): AcceptanceServer {
  const name = hostPortText(where);
  try {
    const server = new AcceptanceServer(where, mode, {
      onReceipt: (receipt) => io.out(`${name} received ${JSON.stringify(receipt)}`),
      onFailure: (problem) => io.err(`${name}: ${problem}`),
    });
    io.out(`listening on ${addressText(server.address)}`);
    return server;
  } catch (error) {
    throw new Error(`cannot listen on ${name}: ${messageOf(error)}`, { cause: error });
  }
}
