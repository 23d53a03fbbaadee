/** The interface of the balancer to its users: start, reload, drain, close. */

import { getLogger } from "@logtape/logtape";
import type { Config } from "./config/config.ts";
import type { ReloadResult } from "./config/reload_result.ts";
import { Engine } from "./engine.ts";
import type { EngineFace, ReloadOptions } from "./engine/face.ts";
import type { EngineOptions } from "./engine/options.ts";
import type { WorkersOptions } from "./workers/options.ts";
import { threadsOf } from "./workers/count.ts";
import { durationText } from "./util/text.ts";

const log = getLogger("switchyard");

/** Replacements for the platform in tests, and observers. */
export type BalancerOptions = EngineOptions;

/** A running balancer. */
export class Balancer<E extends EngineFace = EngineFace> implements AsyncDisposable {
  readonly #engine: E;
  #draining: Promise<number> | undefined;

  private constructor(engine: E) {
    this.#engine = engine;
  }

  /**
   * Opens every listener of `config` and serves, in this thread.
   *
   * @throws Error naming the address that cannot be listened on; everything is closed again then.
   */
  static start(config: Config, options: BalancerOptions = {}): Balancer<Engine> {
    return new Balancer(Engine.start(config, options));
  }

  /**
   * Does the same in `config.workers` threads.
   *
   * @throws Error naming the address that cannot be listened on; everything is closed again then.
   */
  static async startThreads(config: Config, options: WorkersOptions): Promise<Balancer> {
    const { observers } = options;
    if (threadsOf(config) === 1) return Balancer.start(config, { observers });
    // loaded on demand, so that a start with one thread is not delayed
    const { WorkersEngine } = await import("./workers/engine.ts");
    return new Balancer(await WorkersEngine.start(config, options));
  }

  /** The addresses listened on, with the ports that the system chose for port 0. */
  get addresses(): readonly Deno.NetAddr[] {
    return this.#engine.addresses;
  }

  /** Number of open connections. */
  get active(): number {
    return this.#engine.active;
  }

  /** The engine that runs the connections. */
  get engine(): E {
    return this.#engine;
  }

  /** Switches to `config` in one step; see `EngineFace.reload`. */
  reload(config: Config, options?: ReloadOptions): Promise<ReloadResult> {
    return this.#engine.reload(config, options);
  }

  /** Drains for at most `timeouts.drain`. Resolves to the number of connections that had to be terminated. */
  drain(): Promise<number> {
    return this.#draining ??= this.#drain();
  }

  /** Closes all connections at once. */
  close(): Promise<void> {
    return this.#engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #drain(): Promise<number> {
    const { timeouts } = this.#engine.config;
    const stats = this.#engine.stats();
    const draining = this.#engine.drain();
    const { active } = await stats;
    log.info(
      `draining: ${active} connections have ${durationText(timeouts.drain)} to finish; new ones are refused`,
    );
    const terminated = await draining;
    log[terminated > 0 ? "warning" : "info"](
      `drained: ${terminated} connections were closed at the end of timeouts.drain`,
    );
    return terminated;
  }
}
