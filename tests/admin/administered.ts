/** A balancer with its admin API, asked without a port. */

import { EventFeed } from "../../lib/admin/events.ts";
import { poolsOf } from "../../lib/admin/endpoints.ts";
import type { GuardOptions } from "../../lib/admin/guard.ts";
import { adminHandler } from "../../lib/admin/handler.ts";
import type { AdminSource } from "../../lib/admin/source.ts";
import { statusView } from "../../lib/admin/views.ts";
import type { Balancer } from "../../lib/balancer.ts";
import type { Engine } from "../../lib/engine.ts";
import type { Config } from "../../lib/config/config.ts";
import type { ReloadOutcome } from "../../lib/config/reloader.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { Metrics } from "../../lib/observe/metrics.ts";
import { send } from "../bytes.ts";
import { startBalancer } from "../fixture.ts";
import { until } from "../wait.ts";

const ADDRESS = { host: "127.0.0.1", port: 9090 };

const CHANGE = { added: 1, changed: 0, removed: 0, connections: 0 };

/** What a test wants otherwise. */
export interface Options extends Partial<GuardOptions> {
  /** @default it succeeds */
  readonly outcome?: ReloadOutcome | undefined;
  /** @default now */
  readonly startedAt?: Date;
}

/** Starts a balancer of `config`. */
export function administer(config: Config, options: Options = {}) {
  const running: { balancer?: Balancer<Engine> } = {};
  const build = { version: "1.2.3", deno: "2.9.6" };
  const metrics = new Metrics(() => running.balancer?.engine.measured, build);
  const started = startBalancer(config, { observers: [metrics] });
  const { balancer } = started;
  running.balancer = balancer;
  const outcome = "outcome" in options ? options.outcome : { ok: true as const, change: CHANGE };
  const source: AdminSource = {
    balancer,
    metrics,
    build,
    startedAt: options.startedAt ?? new Date(),
    reload: () => outcome && Promise.resolve(outcome),
    drain: () => void balancer.drain(),
  };
  const feed = new EventFeed(
    async () => ({ status: await statusView(source), pools: poolsOf(source) }),
    50,
  );
  const handler = adminHandler(source, { feed, address: ADDRESS, ...options });
  const ask = (path: string, init?: RequestInit, host = "127.0.0.1:9090") => {
    return handler(new Request(`http://${host}${path}`, init));
  };
  return {
    ...started,
    source,
    feed,
    ask,
    async json(path: string, init?: RequestInit) {
      return await (await ask(path, init)).json();
    },
    /** A client that has sent `id` and is relayed. */
    async relayed(id: string) {
      const before = connectedCount(balancer);
      const client = await started.connect();
      await send(client, encodeId(id));
      await until(() => connectedCount(balancer) > before, `${JSON.stringify(id)} is relayed`);
      return client;
    },
    async [Symbol.asyncDispose]() {
      feed[Symbol.dispose]();
      await balancer.close();
    },
  };
}

function connectedCount({ engine }: Balancer<Engine>): number {
  return [...engine.registry].filter(({ connectedAt }) => connectedAt !== undefined).length;
}
