/** A balancer on a free port of loopback, and its configuration. */

import { Balancer, type BalancerOptions } from "../lib/balancer.ts";
import type { Config } from "../lib/config/config.ts";
import { emptyConfig } from "../lib/config/parse.ts";
import type { Transport } from "../lib/transport/duplex.ts";
import { connectOver } from "./clients.ts";

/** What a test wants otherwise; in the groups `timeouts`, `limits` and `log` the other fields stay. */
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
    timeouts: { ...defaults.timeouts, id: 2000, connect: 1000, ...changes.timeouts },
    limits: { ...defaults.limits, ...changes.limits },
    log: { ...defaults.log, ...changes.log },
  };
}

/** One test for each way in which a client can reach the balancer: what holds for one holds for the other. */
export function overEach(name: string, test: (transport: Transport) => Promise<void>): void {
  for (const transport of ["tcp", "websocket"] as const) {
    Deno.test(`${transport}: ${name}`, () => test(transport));
  }
}

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
