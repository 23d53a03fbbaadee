/** Balancers on free ports of loopback: alone, or with an upstream and clients. */

import { Balancer, type BalancerOptions } from "../lib/balancer.ts";
import type { Config, ListenerConfig } from "../lib/config/config.ts";
import { emptyConfig } from "../lib/config/parse.ts";
import type { Transport } from "../lib/transport/duplex.ts";
import { type Client, connectOver, identify, refused } from "./clients.ts";
import { echo, startUpstream } from "./upstreams.ts";

/** Fields that a test replaces. In the groups `timeouts`, `limits` and `log` the other fields are kept. */
export type Changes = {
  [Field in keyof Config]?: Field extends "timeouts" | "limits" | "log" ? Partial<Config[Field]>
    : Config[Field];
};

/** A configuration for tests: one listener on a free port of loopback, and ID 1 to `port`. */
export function configTo(port: number, changes: Changes = {}): Config {
  const defaults = emptyConfig();
  return {
    ...defaults,
    listeners: [{ address: { host: "127.0.0.1", port: 0 } }],
    routes: [{ id: "1", host: "127.0.0.1", port }],
    ...changes,
    timeouts: { ...defaults.timeouts, id: 20_000, connect: 10_000, ...changes.timeouts },
    limits: { ...defaults.limits, ...changes.limits },
    log: { ...defaults.log, ...changes.log },
  };
}

/** The same test over TCP and over WebSocket. */
export function overEach(name: string, test: (transport: Transport) => Promise<void>): void {
  for (const transport of ["tcp", "websocket"] as const) {
    Deno.test(`${transport}: ${name}`, () => test(transport));
  }
}

/** A balancer of `startBalancer`. */
export type Started = ReturnType<typeof startBalancer>;

/** A balancer, and a way to connect to it. */
export function startBalancer(config: Config, options?: BalancerOptions) {
  const balancer = Balancer.start(config, options);
  const [address] = balancer.addresses;
  if (!address) throw new Error("no listener");
  const { port } = address;
  return {
    balancer,
    port,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
    connectOver: (transport: Transport) => connectOver(transport, port),
    [Symbol.asyncDispose]: () => balancer.close(),
  };
}

/** A balancer whose listener has the settings `websocket`, with ID 1 to `port` and `id` as `timeouts.id`. */
export function startWithWebSocket(websocket: NonNullable<ListenerConfig["websocket"]>, port = 9, id = 5000) {
  const listener = { address: { host: "127.0.0.1", port: 0 }, websocket };
  return startBalancer(configTo(port, { listeners: [listener], timeouts: { id } }));
}

/** A balancer, its echoing upstream, and clients with an ID. */
export function startEchoing(changes: Changes = {}, options?: BalancerOptions) {
  return startPath(echo, changes, options);
}

/** A balancer, its upstream that passes each connection to `serve` (by default an echo), and clients with an ID. */
export function startPath(
  serve: (conn: Deno.TcpConn) => Promise<void> = echo,
  changes: Changes = {},
  options?: BalancerOptions,
) {
  return startBefore(startUpstream(serve), changes, options);
}

/** A balancer, its `upstream`, which is closed with it, and clients with an ID. */
export function startBefore(
  upstream: ReturnType<typeof startUpstream>,
  changes: Changes = {},
  options?: BalancerOptions,
) {
  const config = configTo(upstream.port, changes);
  const started = startBalancer(config, options);
  return {
    ...started,
    config,
    upstream,
    /** A client whose ID has come back from an echoing upstream. */
    async join(id = "1", transport: Transport = "tcp"): Promise<Client> {
      const client = await started.connectOver(transport);
      await identify(client, id);
      return client;
    },
    /** The code of the refusal of a client with this ID. */
    async refusal(id = "1", transport: Transport = "tcp"): Promise<number> {
      using client = await started.connectOver(transport);
      return await refused(client, id);
    },
    async [Symbol.asyncDispose]() {
      await started.balancer.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}
