/** Engines of several workers, with an echoing upstream behind them. */

import { WorkersEngine } from "../../lib/workers/engine.ts";
import type { WorkersOptions } from "../../lib/workers/options.ts";
import type { Transport } from "../../lib/transport/duplex.ts";
import { type Client, connectOver, identify } from "../clients.ts";
import { type Changes, configTo } from "../fixture.ts";
import { startEcho, startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";

const DEFAULTS: WorkersOptions = { observers: [], counts: true, version: "1.2.3", onStuck: () => {} };

/** Two workers before `upstream`, which is closed with them. */
export async function startWorkers(
  changes: Changes = {},
  options: Partial<WorkersOptions> = {},
  upstream: ReturnType<typeof startUpstream> = startEcho(),
) {
  const config = configTo(upstream.port, { workers: 2, ...changes });
  const engine = await WorkersEngine.start(config, { ...DEFAULTS, ...options });
  return {
    ...before(engine),
    config,
    upstream,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/**
 * Two workers for the tests of a file in turn: starting them takes longer than most of the tests. Returns a function
 * that has them serve a configuration, before an echo of its own; at its end the IDs 1 and 2 are disconnected.
 */
export function sharedWorkers() {
  let engine: WorkersEngine | undefined;
  Deno.test.beforeAll(async () => {
    engine = await WorkersEngine.start(configTo(9, { workers: 2 }), DEFAULTS);
  });
  Deno.test.afterAll(() => engine?.close());
  return async (changes: Changes = {}) => {
    if (!engine) throw new Error("workers are started before the first test");
    const upstream = startEcho();
    const config = configTo(upstream.port, { workers: 2, ...changes });
    await engine.reload(config);
    return {
      ...before(engine),
      config,
      upstream,
      async [Symbol.asyncDispose]() {
        await endAll(engine);
        await upstream[Symbol.asyncDispose]();
      },
    };
  };
}

async function endAll(engine: WorkersEngine | undefined): Promise<void> {
  for (const id of ["1", "2"]) await engine?.terminate({ id }, { reason: "kicked", closedBy: "balancer" });
  await until(async () => (await engine?.stats())?.active === 0, "every connection has ended", 20_000);
}

/** Clients of `engine`. */
function before(engine: WorkersEngine) {
  const port = engine.addresses[0]?.port ?? 0;
  return {
    engine,
    port,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
    /** A client whose ID has come back from the upstream. */
    async join(id = "1", transport: Transport = "tcp"): Promise<Client> {
      const client = await connectOver(transport, port);
      await identify(client, id);
      return client;
    },
  };
}

/** The source of the numbers of connections that each worker has accepted. */
export async function acceptedByEach(engine: WorkersEngine): Promise<number[]> {
  const [_past, ...threads] = await engine.measured.threads();
  return threads.map(({ counters }) => {
    let sum = 0;
    for (const { tcp, websocket } of counters?.connections.values() ?? []) sum += tcp + websocket;
    return sum;
  });
}
