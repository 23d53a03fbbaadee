/** Whether Redis can be asked, and since when it cannot; logs each change. */

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
  /** Why it is away. */
  #reason: Error | undefined;
  #awaySince = performance.now();
  #isAwayLogged = false;

  /**
   * @param place Where the hash is, for messages.
   * @param stale How long the cache is used while Redis is away, in milliseconds.
   * @param cached Number of IDs in the cache.
   */
  constructor(place: string, stale: number, cached: () => number) {
    this.#place = place;
    this.#stale = stale;
    this.#cached = cached;
  }

  /** The connection, while there is one. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Why the last attempt to connect has failed; undefined while the first one is under way, and while connected. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Attempts to connect, by their result. */
  get connects(): { readonly success: number; readonly failure: number } {
    return this.#connects;
  }

  /** Whether what is cached may be used as it is. A look-up may also fail while there is a connection. */
  get isStaleUsable(): boolean {
    return this.#link !== undefined || performance.now() - this.#awaySince <= this.#stale;
  }

  connected(link: Link): void {
    const again = this.#isAwayLogged ? ` again after ${this.#awayText()}` : "";
    this.#connects.success += 1;
    this.#link = link;
    this.#failure = undefined;
    this.#isAwayLogged = false;
    log.info(`redis: connected${again} to ${hostPortText(link.at)}: ${this.#place}`);
  }

  lost(reason: Error): void {
    this.#link = undefined;
    this.#reason = reason;
    this.#awaySince = performance.now();
    this.#logAway(reason);
  }

  failed(reason: Error): void {
    this.#connects.failure += 1;
    this.#failure = this.#reason = reason;
    this.#logAway(reason);
  }

  state(): RedisState {
    if (this.#link) {
      return { up: true, serving: true, text: `connected to ${hostPortText(this.#link.at)}: ${this.#place}` };
    }
    const reason = this.#reason ? messageOf(this.#reason) : "connecting";
    const serving = this.#cached() > 0 && this.isStaleUsable;
    const effect = serving ? this.#staleText() : "no ID can be looked up, and none is cached";
    return { up: false, serving, text: `away for ${this.#awayText()}: ${reason}; ${effect}` };
  }

  #logAway(reason: Error): void {
    if (this.#isAwayLogged) return log.debug(`redis: still away: ${messageOf(reason)}`);
    this.#isAwayLogged = true;
    log.warning(
      `redis: away: ${messageOf(reason)}; ${this.#staleText()}, others get UPSTREAM_UNAVAILABLE`,
    );
  }

  #staleText(): string {
    return `${counted(this.#cached(), "cached ID")} can be routed for up to ${durationText(this.#stale)}`;
  }

  #awayText(): string {
    const ms = Math.round(performance.now() - this.#awaySince);
    return durationText(ms < 1000 ? ms : Math.round(ms / 1000) * 1000);
  }
}
