/** The routes in Redis that the configuration in use has. Connection and cache outlive a reload that keeps `redis`. */

import type { RedisConfig } from "../config/config.ts";
import { RedisRoutes } from "../route/redis/redis_routes.ts";

/** See the top of the file. */
export class RedisInUse implements AsyncDisposable {
  readonly #quiet: boolean;
  #routes: RedisRoutes | undefined;
  /** Those of former configurations, while clients wait for their answers. */
  readonly #retired = new Map<RedisRoutes, Promise<void>>();

  /** @param quiet Whether another thread logs when Redis is unavailable. */
  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  /** The routes of `config`: those in use where it asks for the same, otherwise others that are not started yet. */
  of(config: RedisConfig | undefined): RedisRoutes | undefined {
    if (this.#routes?.isFor(config)) return this.#routes;
    return config && new RedisRoutes(config, this.#routes, this.#quiet);
  }

  /** Uses `routes` from now on. */
  use(routes: RedisRoutes | undefined): void {
    const previous = this.#routes;
    if (previous === routes) return;
    this.#routes = routes;
    routes?.start(previous?.stats());
    if (!previous) return;
    this.#retired.set(previous, previous.retire().finally(() => this.#retired.delete(previous)));
  }

  /** Closes every connection. Look-ups under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#retired.keys(), ...this.#routes ? [this.#routes] : []];
    await Promise.all(all.map((routes) => routes[Symbol.asyncDispose]()));
    await Promise.all(this.#retired.values());
  }
}
