/** Engines of several workers, with an echoing upstream behind them. */

import { WorkersEngine } from "../../lib/workers/engine.ts";
import type { WorkersOptions } from "../../lib/workers/options.ts";
import type { Transport } from "../../lib/transport/duplex.ts";
import { type Client, connectOver, identify } from "../clients.ts";
import { type Changes, configTo } from "../fixture.ts";
import { startEcho, startUpstream } from "../upstreams.ts";

const DEFAULTS: WorkersOptions = { observers: [], counts: true, version: "1.2.3", onStuck: () => {} };

/** Two workers before `upstream`, which is closed with them. */
export async function startWorkers(
  changes: Changes = {},
  options: Partial<WorkersOptions> = {},
  upstream: ReturnType<typeof startUpstream> = startEcho(),
) {
  const config = configTo(upstream.port, { workers: 2, ...changes });
  const engine = await WorkersEngine.start(config, { ...DEFAULTS, ...options });
  const port = engine.addresses[0]?.port ?? 0;
  return {
    engine,
    config,
    port,
    upstream,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
    /** A client whose ID has come back from the upstream. */
    async join(id = "1", transport: Transport = "tcp"): Promise<Client> {
      const client = await connectOver(transport, port);
      await identify(client, id);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** What has the numbers of connections that each worker has accepted. */
export async function acceptedByEach(engine: WorkersEngine): Promise<number[]> {
  const [_past, ...threads] = await engine.measured.threads();
  return threads.map(({ counters }) => {
    let sum = 0;
    for (const { tcp, websocket } of counters?.connections.values() ?? []) sum += tcp + websocket;
    return sum;
  });
}
