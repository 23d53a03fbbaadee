/** The routes in Redis of the current configuration. Connection and cache survive reloads that keep `redis`. */

import type { RedisConfig } from "../config/config.ts";
import { RedisRoutes } from "../route/redis/redis_routes.ts";

/** Keeps `RedisRoutes` over reloads, and closes it once nothing uses it. */
export class RedisInUse implements AsyncDisposable {
  readonly #quiet: boolean;
  #routes: RedisRoutes | undefined;
  /** Those of earlier configurations, while clients wait for their answers. */
  readonly #retired = new Map<RedisRoutes, Promise<void>>();

  /** @param quiet Whether another thread logs when Redis is unavailable. */
  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  /** The routes of `config`: those in use if they match, otherwise new ones that are not started yet. */
  of(config: RedisConfig | undefined): RedisRoutes | undefined {
    if (this.#routes?.isFor(config)) return this.#routes;
    return config && new RedisRoutes(config, this.#routes, this.#quiet);
  }

  /** Puts `routes` into use. */
  use(routes: RedisRoutes | undefined): void {
    const previous = this.#routes;
    if (previous === routes) return;
    this.#routes = routes;
    routes?.start(previous?.stats());
    if (!previous) return;
    this.#retired.set(previous, previous.retire().finally(() => this.#retired.delete(previous)));
  }

  /** Closes every connection. Pending look-ups fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#retired.keys(), ...this.#routes ? [this.#routes] : []];
    await Promise.all(all.map((routes) => routes[Symbol.asyncDispose]()));
    await Promise.all(this.#retired.values());
  }
}
