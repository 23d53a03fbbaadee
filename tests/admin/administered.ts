/** A balancer with its admin API, which is called without a port. */

import { EventFeed } from "../../lib/admin/events.ts";
import { adminHandler, type HandlerOptions } from "../../lib/admin/handler.ts";
import type { AdminSource } from "../../lib/admin/source.ts";
import { stateView } from "../../lib/admin/views.ts";
import type { Config } from "../../lib/config/config.ts";
import { Metrics } from "../../lib/observe/metrics.ts";
import { sendId } from "../clients.ts";
import { startBalancer, type Started } from "../fixture.ts";
import { until } from "../wait.ts";

const ADDRESS = { host: "127.0.0.1", port: 9090 };

const CHANGE = { added: 1, changed: 0, removed: 0, connections: 0 };

/** Settings that a test replaces. */
export interface Options extends Partial<Omit<HandlerOptions, "feed">> {
  /** Of each reload; undefined if there is no file to reload. @default it succeeds */
  readonly outcome?: Awaited<ReturnType<AdminSource["reload"]>>;
  /** @default now */
  readonly startedAt?: Date;
}

/** Starts a balancer with this configuration. */
export function administer(config: Config, options: Options = {}) {
  const running: Partial<Started> = {};
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
  const feed = new EventFeed(() => stateView(source), 50);
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
      await sendId(client, id);
      await until(() => connectedCount(balancer) > before, `${JSON.stringify(id)} is relayed`);
      return client;
    },
    async [Symbol.asyncDispose]() {
      feed[Symbol.dispose]();
      await balancer.close();
    },
  };
}

function connectedCount({ engine }: Started["balancer"]): number {
  return [...engine.registry].filter(({ connectedAt }) => connectedAt !== undefined).length;
}
