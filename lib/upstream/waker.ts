/** Calls the webhook that wakes a route's upstream: once per outage, whichever threads hold its clients. */

import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { postJson, withoutSecrets } from "../util/post.ts";

const log = getLogger("switchyard");

/** Timeout of a webhook call, in milliseconds. */
const WAKE_TIMEOUT_MS = 10_000;

/** Maximum number of routes whose last call is remembered. */
const MOST_ROUTES = 10_000;

/** The body of the webhook's request. */
export interface WakeCall {
  /** The rule whose upstream is down. */
  readonly route: string;
  /** The pool's name, or `host:port`. */
  readonly upstream: string;
  /** The ID of the held client. */
  readonly id: string;
}

/** How a route's upstream is woken. */
export interface Wake {
  readonly url: string;
  /** How long clients are held, in milliseconds. */
  readonly for: number;
}

/** Calls the webhook of a route whose clients are held. */
export interface Waker {
  /** A client of the route is being held. */
  wake(wake: Wake, call: WakeCall): void;
  /** The upstream of the route was reached. */
  reached(route: string): void;
}

/** Posts to a webhook; rejects if it cannot be reached or answers with an error. */
export type Post = (url: string, call: WakeCall) => Promise<void>;

/** Wakes upstreams by a POST to the webhook of their route. */
export class WebhookWaker implements Waker {
  readonly #post: Post;
  /** Time of the last call in the current outage, by route, in milliseconds of `performance.now`. */
  readonly #wokenAt = new Map<string, number>();

  /** @param post Default: with fetch. */
  constructor(post: Post = callWebhook) {
    this.#post = post;
  }

  /** Calls the webhook once per outage, and again if no client could connect within `for`. */
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
      log.warning(`the webhook ${shown} for waking ${call.upstream} failed: ${messageOf(error)}`);
    }
  }
}

function callWebhook(url: string, call: WakeCall): Promise<void> {
  return postJson(url, JSON.stringify(call), { timeout: WAKE_TIMEOUT_MS });
}
