/** Whether Redis is available, and since when it is not; logs each change. */

import { getLogger } from "@logtape/logtape";
import { messageOf } from "../../errors.ts";
import type { RedisState } from "../../observe/redis_stats.ts";
import { counted, durationText, hostPortText } from "../../util/text.ts";
import type { Link } from "./link.ts";

const log = getLogger("switchyard");

/** Options of `Availability`. */
export interface AvailabilityOptions {
  /** Where the hash is, for messages. */
  readonly place: string;
  /** How long the cache is used while Redis is unavailable, in milliseconds. */
  readonly stale: number;
  /** Number of IDs in the cache. */
  readonly cached: () => number;
  /** Whether another thread of the process logs the same. */
  readonly quiet: boolean;
}

/** The state of the connection to Redis: its outages, and the counts of attempts to connect. */
export class Availability {
  readonly #options: AvailabilityOptions;
  readonly #connects = { success: 0, failure: 0 };
  #link: Link | undefined;
  #failure: Error | undefined;
  /** Why it is unavailable. */
  #reason: Error | undefined;
  #unavailableSince = performance.now();
  #isLogged = false;

  constructor(options: AvailabilityOptions) {
    this.#options = options;
  }

  /** The current connection, if any. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Why the last attempt to connect failed; undefined during the first attempt and while connected. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Attempts to connect, by result. */
  get connects(): { readonly success: number; readonly failure: number } {
    return this.#connects;
  }

  /** Whether outdated cache entries may be used. A look-up can also fail while there is a connection. */
  get isStaleUsable(): boolean {
    return this.#link !== undefined || performance.now() - this.#unavailableSince <= this.#options.stale;
  }

  connected(link: Link): void {
    const again = this.#isLogged ? ` again after ${this.#outageText()}` : "";
    this.#connects.success += 1;
    this.#link = link;
    this.#failure = undefined;
    this.#isLogged = false;
    const { quiet, place } = this.#options;
    log[quiet ? "debug" : "info"](`redis: connected${again} to ${hostPortText(link.at)}: ${place}`);
  }

  lost(reason: Error): void {
    this.#link = undefined;
    this.#reason = reason;
    this.#unavailableSince = performance.now();
    this.#logUnavailable(reason);
  }

  failed(reason: Error): void {
    this.#connects.failure += 1;
    this.#failure = this.#reason = reason;
    this.#logUnavailable(reason);
  }

  state(): RedisState {
    if (this.#link) {
      const text = `connected to ${hostPortText(this.#link.at)}: ${this.#options.place}`;
      return { up: true, serving: true, text };
    }
    const reason = this.#reason ? messageOf(this.#reason) : "connecting";
    const cached = this.#options.cached();
    const serving = cached > 0 && this.isStaleUsable;
    const effect = serving
      ? `${counted(cached, "cached ID")} can be routed for up to ${this.#staleText}`
      : "no ID can be looked up, and none is cached";
    return { up: false, serving, text: `unavailable for ${this.#outageText()}: ${reason}; ${effect}` };
  }

  #logUnavailable(reason: Error): void {
    if (this.#isLogged) return log.debug(`redis: still unavailable: ${messageOf(reason)}`);
    this.#isLogged = true;
    // the cache of this thread tells nothing about those of workers
    log[this.#options.quiet ? "debug" : "warning"](
      `redis: unavailable: ${messageOf(reason)}; cached IDs are routed for up to ${this.#staleText}, ` +
        "others get UPSTREAM_UNAVAILABLE",
    );
  }

  get #staleText(): string {
    return durationText(this.#options.stale);
  }

  #outageText(): string {
    const ms = Math.round(performance.now() - this.#unavailableSince);
    return durationText(ms < 1000 ? ms : Math.round(ms / 1000) * 1000);
  }
}
