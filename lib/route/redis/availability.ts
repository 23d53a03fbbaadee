/** Whether Redis is available, and since when it is not; logs each change. */

import { getLogger } from "@logtape/logtape";
import { messageOf } from "../../errors.ts";
import type { RedisState } from "../../observe/redis_stats.ts";
import { counted, durationText, hostPortText } from "../../util/text.ts";
import type { Link } from "./link.ts";

const log = getLogger("switchyard");

/** See the top of the file. */
export class Availability {
  readonly #place: string;
  readonly #stale: number;
  readonly #cached: () => number;
  readonly #connects = { success: 0, failure: 0 };
  #link: Link | undefined;
  #failure: Error | undefined;
  /** Why it is unavailable. */
  #reason: Error | undefined;
  #unavailableSince = performance.now();
  #isLogged = false;

  /**
   * @param place Where the hash is, for messages.
   * @param stale How long the cache is used while Redis is unavailable, in milliseconds.
   * @param cached Number of IDs in the cache.
   */
  constructor(place: string, stale: number, cached: () => number) {
    this.#place = place;
    this.#stale = stale;
    this.#cached = cached;
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
    return this.#link !== undefined || performance.now() - this.#unavailableSince <= this.#stale;
  }

  connected(link: Link): void {
    const again = this.#isLogged ? ` again after ${this.#outageText()}` : "";
    this.#connects.success += 1;
    this.#link = link;
    this.#failure = undefined;
    this.#isLogged = false;
    log.info(`redis: connected${again} to ${hostPortText(link.at)}: ${this.#place}`);
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
      return { up: true, serving: true, text: `connected to ${hostPortText(this.#link.at)}: ${this.#place}` };
    }
    const reason = this.#reason ? messageOf(this.#reason) : "connecting";
    const serving = this.#cached() > 0 && this.isStaleUsable;
    const effect = serving ? this.#staleText() : "no ID can be looked up, and none is cached";
    return { up: false, serving, text: `unavailable for ${this.#outageText()}: ${reason}; ${effect}` };
  }

  #logUnavailable(reason: Error): void {
    if (this.#isLogged) return log.debug(`redis: still unavailable: ${messageOf(reason)}`);
    this.#isLogged = true;
    log.warning(
      `redis: unavailable: ${messageOf(reason)}; ${this.#staleText()}, others get UPSTREAM_UNAVAILABLE`,
    );
  }

  #staleText(): string {
    return `${counted(this.#cached(), "cached ID")} can be routed for up to ${durationText(this.#stale)}`;
  }

  #outageText(): string {
    const ms = Math.round(performance.now() - this.#unavailableSince);
    return durationText(ms < 1000 ? ms : Math.round(ms / 1000) * 1000);
  }
}
