/** Webhooks: events are posted to URLs, asynchronously to the connections that they are about. */

import { accessRecord } from "./access_line.ts";
import type { ReloadResult } from "../config/reload_result.ts";
import type { Closing, ConnectionInfo, HealthState, Observer, ServerInfo } from "./observer.ts";
import {
  type Event,
  type WebhookConfig,
  type WebhookEvent,
  WebhookQueue,
  type WebhooksOptions,
} from "./webhook_queue.ts";

/** Time to send queued events when the balancer shuts down, in milliseconds. */
const LAST_MS = 2000;

/** Queues events for every webhook that subscribes to them. */
export class Webhooks implements Observer, AsyncDisposable {
  readonly #options: WebhooksOptions;
  #queues = new Map<string, WebhookQueue>();

  constructor(configs: readonly WebhookConfig[], options: WebhooksOptions = {}) {
    this.#options = options;
    this.configure(configs);
  }

  /** Replaces the webhooks. Unchanged ones keep their queue. */
  configure(configs: readonly WebhookConfig[]): void {
    const before = this.#queues;
    this.#queues = new Map(configs.map((config) => {
      const key = JSON.stringify(config);
      return [key, before.get(key) ?? new WebhookQueue(config, this.#options)];
    }));
    for (const [key, queue] of before) if (!this.#queues.has(key)) void queue.end(LAST_MS);
  }

  connected(connection: ConnectionInfo): void {
    this.#tell("connect", () => {
      const { conn, id, client, listener, transport, route, upstream, connect_ms } = accessRecord(
        connection,
        OPEN,
      );
      return { conn, id, client, listener, transport, route, upstream, connect_ms };
    });
  }

  closed(connection: ConnectionInfo, why: Closing): void {
    // a connection that was never relayed had no connect event, and a flood of those must not fill the queue
    if (connection.connectedAt !== undefined) this.#tell("disconnect", () => accessRecord(connection, why));
  }

  serverChanged({ key, pool, active }: ServerInfo, state: HealthState, why: string): void {
    this.#tell(
      state === "up" ? "upstream_up" : "upstream_down",
      () => ({ upstream: key, pool, state, why, active }),
    );
  }

  reloaded(result: ReloadResult): void {
    this.#tell("reload", () => result);
  }

  /** Gives queued events a little time, and drops the rest. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.end(LAST_MS)));
  }

  #tell(event: WebhookEvent, data: () => unknown): void {
    // this is on the path of every connection, with webhooks or without
    if (this.#queues.size === 0) return;
    let queued: Event | undefined;
    for (const queue of this.#queues.values()) {
      if (queue.wants(event)) queue.add(queued ??= { event, time: new Date().toISOString(), data: data() });
    }
  }
}

/** The closing of a connection that is still open, whose record has no fields about the end. */
const OPEN: Closing = { reason: "probe", closedBy: "client" };
