/** Calls the webhook that wakes a route's upstream: once for an outage, whichever threads hold its clients. */

import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { postJson, withoutSecrets } from "../util/post.ts";

const log = getLogger("switchyard");

/** How long a webhook may take, in milliseconds. */
const WAKE_TIMEOUT_MS = 10_000;

/** Routes whose last call is remembered. */
const MOST_ROUTES = 10_000;

/** The body of the webhook's request. */
export interface WakeCall {
  /** The rule whose upstream is down. */
  readonly route: string;
  /** The pool's name, or `host:port`. */
  readonly upstream: string;
  /** The ID of the client that is held. */
  readonly id: string;
}

/** How a route's upstream is woken. */
export interface Wake {
  readonly url: string;
  /** For how long clients are held, in milliseconds. */
  readonly for: number;
}

/** The part of a hold that calls the webhook of a route. */
export interface Waker {
  /** A client of the route is held. */
  wake(wake: Wake, call: WakeCall): void;
  /** The upstream of the route was reached. */
  reached(route: string): void;
}

/** Posts to a webhook; rejects where it cannot be reached or answers with an error. */
export type Post = (url: string, call: WakeCall) => Promise<void>;

/** See the top of the file. */
export class WebhookWaker implements Waker {
  readonly #post: Post;
  /** When the webhook of a route was called last in this outage, in milliseconds of `performance.now`. */
  readonly #wokenAt = new Map<string, number>();

  /** @param post By default with fetch. */
  constructor(post: Post = callWebhook) {
    this.#post = post;
  }

  /** Calls it once for each outage, and again if no client could connect within `for`. */
  wake({ url, for: ms }: Wake, call: WakeCall): void {
    const now = performance.now();
    if (now - (this.#wokenAt.get(call.route) ?? -Infinity) < ms) return;
    if (this.#wokenAt.size >= MOST_ROUTES) this.#wokenAt.clear();
    this.#wokenAt.set(call.route, now);
    void this.#call(url, call);
  }

  reached(route: string): void {
    this.#wokenAt.delete(route);
  }

  async #call(url: string, call: WakeCall): Promise<void> {
    const shown = withoutSecrets(url);
    log.info(`${call.upstream} of route ${call.route} is down: holding its clients and calling ${shown}`);
    try {
      await this.#post(url, call);
    } catch (error) {
      log.warning(`the webhook ${shown}, which is to wake ${call.upstream}, failed: ${messageOf(error)}`);
    }
  }
}

function callWebhook(url: string, call: WakeCall): Promise<void> {
  return postJson(url, JSON.stringify(call), { timeout: WAKE_TIMEOUT_MS });
}
