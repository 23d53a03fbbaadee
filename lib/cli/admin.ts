/** The admin API of `switchyard serve`. */

import { getLogger } from "@logtape/logtape";
import type { AdminServer } from "../admin/server.ts";
import { Balancer } from "../balancer.ts";
import type { AdminConfig, Config } from "../config/config.ts";
import type { ReloadOutcome } from "../config/reloader.ts";
import { messageOf } from "../errors.ts";
import type { Metrics } from "../observe/metrics.ts";
import { tracing } from "../observe/tracing.ts";
import { Webhooks } from "../observe/webhooks.ts";
import { sleep } from "../util/async.ts";
import { hostPortText } from "../util/text.ts";
import type { WorkersOptions } from "../workers/options.ts";
import { VERSION } from "./version.ts";

const log = getLogger("switchyard");

/** A balancer and its observers. */
export interface Measured {
  readonly balancer: Balancer;
  /** Undefined if the admin API is off. */
  readonly metrics: Metrics | undefined;
  readonly webhooks: Webhooks;
}

/**
 * Starts a balancer. Without an admin API nothing is counted, and without tracing in the environment nothing is traced.
 * Modules of the admin API are loaded only if the configuration has one, since they would delay each start.
 */
export async function startMeasured(
  config: Config,
  onStuck: WorkersOptions["onStuck"],
): Promise<Measured> {
  const running: { balancer?: Balancer } = {};
  const metrics = config.admin
    ? new (await import("../observe/metrics.ts")).Metrics(() => running.balancer?.engine.measured, VERSION)
    : undefined;
  const webhooks = new Webhooks(config.webhooks);
  const observers = [metrics, webhooks, tracing(VERSION.version)].filter((one) => one !== undefined);
  const options = { observers, counts: metrics !== undefined, version: VERSION.version, onStuck };
  const balancer = running.balancer = await Balancer.startThreads(config, options);
  return { balancer, metrics, webhooks };
}

/** The command's actions that the admin API can start. */
export interface Controls {
  readonly reload: () => Promise<ReloadOutcome> | undefined;
  readonly drain: () => void;
}

/** How long the system may take to release an address, in milliseconds. */
const RELEASE_MS = 1000;

/** Longest time for open requests to previous listeners at the end of the process, in milliseconds. */
const LAST_ANSWERS_MS = 500;

const ADMIN_LATER = "admin was off at the start, so nothing was counted: it takes effect after a restart";

/** The admin API of `switchyard serve`, which a reload moves. */
export class RunningAdmin implements AsyncDisposable {
  readonly #measured: Measured;
  readonly #controls: Controls;
  #server: AdminServer | undefined;
  /** The latest change; one at a time. */
  #changing: Promise<void> = Promise.resolve();
  /** Previous listeners, until they have answered their open requests. */
  readonly #retiring = new Set<Promise<void>>();

  constructor(measured: Measured, controls: Controls) {
    this.#measured = measured;
    this.#controls = controls;
  }

  /**
   * Moves it to the address in `admin`.
   *
   * @throws Error naming the address or the file that cannot be used; it is served as before then
   */
  change(admin: Config["admin"]): Promise<void> {
    const change = this.#changing.then(() => this.#change(admin));
    this.#changing = change.catch(() => {});
    return change;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changing;
    await this.#server?.[Symbol.asyncDispose]();
    // a request that was never sent whole keeps a listener from ending, and must not keep the process
    const answered = new AbortController();
    void Promise.all(this.#retiring).then(() => answered.abort());
    await sleep(LAST_ANSWERS_MS, answered.signal);
  }

  async #change(admin: Config["admin"]): Promise<void> {
    const before = this.#server;
    if (JSON.stringify(admin) === JSON.stringify(before?.config ?? false)) return;
    if (!admin) {
      this.#server = undefined;
      this.#retire(before);
      log.info("the admin API is off");
    } else if (!this.#measured.metrics) log.warning(ADMIN_LATER);
    else if (before && hostPortText(admin.address) === hostPortText(before.config.address)) {
      await before.change(admin);
    } else if (before?.config.address.port === admin.address.port) await this.#rebind(before, admin);
    else {
      this.#server = await this.#start(admin);
      this.#retire(before);
    }
  }

  /** Two listeners on one port may exclude each other, so the previous one is closed first. */
  async #rebind(before: AdminServer, admin: AdminConfig): Promise<void> {
    this.#retire(before);
    try {
      this.#server = await this.#startOnceFree(admin);
    } catch (error) {
      this.#server = await this.#startOnceFree(before.config);
      throw error;
    }
  }

  #retire(server: AdminServer | undefined): void {
    if (!server) return;
    const retiring = server.retire()
      .catch((error) => log.error`the previous admin listener did not end: ${messageOf(error)}`)
      .finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }

  async #startOnceFree(admin: AdminConfig): Promise<AdminServer> {
    const end = performance.now() + RELEASE_MS;
    for (;;) {
      try {
        return await this.#start(admin);
      } catch (error) {
        const isTaken = error instanceof Error && error.cause instanceof Deno.errors.AddrInUse;
        if (!isTaken || performance.now() > end) throw error;
        await sleep(10);
      }
    }
  }

  async #start(admin: AdminConfig): Promise<AdminServer> {
    const { AdminServer } = await import("../admin/server.ts");
    const { balancer, metrics } = this.#measured;
    if (!metrics) throw new Error(ADMIN_LATER);
    const startedAt = new Date(performance.timeOrigin);
    return await AdminServer.start(admin, {
      balancer,
      metrics,
      build: VERSION,
      startedAt,
      ...this.#controls,
    });
  }
}
