/** The balancer as its users see it: start, reload, drain, close. */

import type { Config } from "./config/config.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import type { ReloadResult } from "./observe/observer.ts";

/** What tests put in place of the platform, and who is told of what happens. */
export type BalancerOptions = EngineOptions;

/** A running balancer. */
export class Balancer implements AsyncDisposable {
  readonly #engine: Engine;

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Opens every listener of `config` and serves.
   *
   * @throws Error naming the address that could not be listened on; nothing is left open then.
   */
  static start(config: Config, options: BalancerOptions = {}): Balancer {
    return new Balancer(Engine.start(config, options));
  }

  /** Where it listens, with the ports that the system chose for port 0. */
  get addresses(): Deno.NetAddr[] {
    return this.#engine.addresses;
  }

  /** Number of connections open now. */
  get active(): number {
    return this.#engine.registry.active;
  }

  /** What runs the connections. */
  get engine(): Engine {
    return this.#engine;
  }

  /** Switches to `config`, all of it in one step; see `Engine.reload`. */
  reload(config: Config): Promise<ReloadResult> {
    return this.#engine.reload(config);
  }

  /** Ends gently, within `timeouts.drain`. Resolves to the number of connections that had to be terminated. */
  drain(): Promise<number> {
    return this.#engine.drain();
  }

  /** Ends at once. */
  close(): Promise<void> {
    return this.#engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
