/** Counts the dropped events of a webhook, and logs summaries. */

import { getLogger } from "@logtape/logtape";
import { counted } from "../util/text.ts";

const log = getLogger("switchyard");

/** Minimum time between two lines while events are being dropped, in milliseconds. */
const INTERVAL_MS = 60_000;

/** Every dropped event is counted in exactly one line. */
export class DroppedEvents {
  /** The URL of the webhook, without its secrets. */
  readonly webhook: string;
  readonly #now: () => number;
  #count = 0;
  #loggedAt = -Infinity;

  /** @param now A clock, in milliseconds. @default performance.now */
  constructor(webhook: string, now: () => number = () => performance.now()) {
    this.webhook = webhook;
    this.#now = now;
  }

  /** Counts events. The first are logged at once, further ones within a minute. */
  add(count = 1): void {
    this.#count += count;
    if (this.#now() - this.#loggedAt >= INTERVAL_MS) this.report();
  }

  /** Logs the events that have not been logged yet. */
  report(): void {
    if (this.#count === 0) return;
    log.warning(`webhook ${this.webhook}: ${counted(this.#count, "event")} dropped: its queue is full`);
    this.#count = 0;
    this.#loggedAt = this.#now();
  }
}
