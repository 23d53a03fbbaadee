/** The balancer as its users see it: start, reload, drain, close. */

import { getLogger } from "@logtape/logtape";
import type { Config } from "./config/config.ts";
import { Engine } from "./engine.ts";
import type { EngineFace, ReloadOptions } from "./engine/face.ts";
import type { EngineOptions } from "./engine/options.ts";
import type { ReloadResult } from "./observe/observer.ts";
import type { WorkersOptions } from "./workers/options.ts";
import { threadsOf } from "./workers/count.ts";
import { durationText } from "./util/text.ts";

const log = getLogger("switchyard");

/** What tests put in place of the platform, and who is told of what happens. */
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
   * @throws Error naming the address that could not be listened on; nothing is left open then.
   */
  static start(config: Config, options: BalancerOptions = {}): Balancer<Engine> {
    return new Balancer(Engine.start(config, options));
  }

  /**
   * Does the same in as many threads as `config.workers` asks for.
   *
   * @throws Error naming the address that could not be listened on; nothing is left open then.
   */
  static async startThreads(config: Config, options: WorkersOptions): Promise<Balancer> {
    const { observers } = options;
    if (threadsOf(config) === 1) return Balancer.start(config, { observers });
    // loading it would delay the start of one thread
    const { WorkersEngine } = await import("./workers/engine.ts");
    return new Balancer(await WorkersEngine.start(config, options));
  }

  /** Where it listens, with the ports that the system chose for port 0. */
  get addresses(): readonly Deno.NetAddr[] {
    return this.#engine.addresses;
  }

  /** Number of connections open now. */
  get active(): number {
    return this.#engine.active;
  }

  /** What runs the connections. */
  get engine(): E {
    return this.#engine;
  }

  /** Switches to `config`, all of it in one step; see `EngineFace.reload`. */
  reload(config: Config, options?: ReloadOptions): Promise<ReloadResult> {
    return this.#engine.reload(config, options);
  }

  /** Ends gently, within `timeouts.drain`. Resolves to the number of connections that had to be terminated. */
  drain(): Promise<number> {
    return this.#draining ??= this.#drain();
  }

  /** Ends at once. */
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
