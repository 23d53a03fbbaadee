/** Holds clients whose upstream cannot be reached, until it can be, for a bounded time and number. */

import { getLogger } from "@logtape/logtape";
import type { HoldConfig } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { postJson, withoutSecrets } from "../util/post.ts";
import { LinkedList, ListNode } from "../util/linked_list.ts";

const log = getLogger("switchyard");

/** How often one of a route's held clients tries its upstream, in milliseconds. */
const RETRY_MS = 500;

/** How long a webhook may take, in milliseconds. */
const WAKE_TIMEOUT_MS = 10_000;

/** Routes whose last call of a webhook is remembered; those without held clients are forgotten beyond that. */
const MOST_IDLE = 1000;

/** The body of the webhook's request. */
export interface WakeCall {
  /** The rule whose upstream is down. */
  readonly route: string;
  /** The pool's name, or `host:port`. */
  readonly upstream: string;
  /** The ID of the client that is held. */
  readonly id: string;
}

/** Posts to a webhook; rejects where it cannot be reached or answers with an error. */
export type Post = (url: string, call: WakeCall) => Promise<void>;

/** What tests put in place of the platform. */
export interface HoldOptions {
  /** @default by fetch */
  readonly post?: Post;
  /** @default 500 */
  readonly retryMs?: number;
}

/** The held clients of every route. It outlasts a reload. */
export class Hold implements Disposable {
  readonly #routes = new Map<string, HeldRoute>();
  readonly #post: Post;
  readonly #retryMs: number;
  #closed = false;

  constructor({ post = callWebhook, retryMs = RETRY_MS }: HoldOptions = {}) {
    this.#post = post;
    this.#retryMs = retryMs;
  }

  /**
   * Holds a client whose upstream could not be reached, until the result is disposed of. The first one calls the
   * webhook. Undefined where as many are held as may be.
   */
  enter(config: HoldConfig, call: WakeCall): Place | undefined {
    if (this.#closed) return undefined;
    const route = this.#route(call.route);
    if (route.held >= config.clients) return undefined;
    if (config.wake !== undefined && route.mustWake(config.for)) void this.#wake(config.wake, call);
    return route.enter(config.for);
  }

  /** Number of clients that are held. */
  get held(): number {
    return this.#routes.values().reduce((sum, { held }) => sum + held, 0);
  }

  /** Ends every wait, and holds nobody any more. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const route of this.#routes.values()) route.close();
    this.#routes.clear();
  }

  #route(rule: string): HeldRoute {
    if (this.#routes.size > MOST_IDLE) {
      for (const [other, { held }] of this.#routes) if (held === 0) this.#routes.delete(other);
    }
    const route = this.#routes.get(rule) ?? new HeldRoute(this.#retryMs);
    this.#routes.set(rule, route);
    return route;
  }

  async #wake(url: string, call: WakeCall): Promise<void> {
    const shown = withoutSecrets(url);
    log.info(`${call.upstream} of route ${call.route} is down: holding its clients and calling ${shown}`);
    try {
      await this.#post(url, call);
    } catch (error) {
      log.warning(`the webhook ${shown}, which is to wake ${call.upstream}, failed: ${messageOf(error)}`);
    }
  }
}

/** The held clients of one route: they try in turn, one at a time, until one has got through. */
class HeldRoute {
  readonly #waiting = new LinkedList<Place>();
  readonly #retryMs: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #held = 0;
  #closed = false;
  #wokenAt = -Infinity;

  constructor(retryMs: number) {
    this.#retryMs = retryMs;
  }

  /** Number of clients that are held. */
  get held(): number {
    return this.#held;
  }

  /** Whether the webhook is to be called: once for an outage, and again where it has helped nobody within `ms`. */
  mustWake(ms: number): boolean {
    const now = performance.now();
    if (now - this.#wokenAt < ms) return false;
    this.#wokenAt = now;
    return true;
  }

  enter(ms: number): Place {
    this.#held += 1;
    this.#timer ??= setInterval(() => this.#next(), this.#retryMs);
    return new Place(this, performance.now() + ms);
  }

  leave(place: Place): void {
    this.#waiting.leave(place);
    this.#held -= 1;
    if (this.#held === 0) this.#stop();
  }

  wait(place: Place): void {
    if (this.#closed) place.settle(false);
    else this.#waiting.join(place);
  }

  /** It waits no more. */
  forget(place: Place): void {
    this.#waiting.leave(place);
  }

  /** The upstream can be reached again: all try. */
  open(): void {
    this.#wokenAt = -Infinity;
    for (const place of this.#waiting) this.#settle(place, true);
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    for (const place of this.#waiting) this.#settle(place, false);
  }

  #next(): void {
    const now = performance.now();
    for (const place of this.#waiting) if (place.until <= now) this.#settle(place, false);
    const { first } = this.#waiting;
    if (first) this.#settle(first, true);
  }

  #settle(place: Place, again: boolean): void {
    this.#waiting.leave(place);
    place.settle(again);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** A client that is held. */
export class Place extends ListNode<Place> implements Disposable {
  /** When it is given up, in milliseconds of `performance.now`. */
  readonly until: number;
  readonly #route: HeldRoute;
  #turn: PromiseWithResolvers<boolean> | undefined;
  #left = false;

  constructor(route: HeldRoute, until: number) {
    super();
    this.#route = route;
    this.until = until;
  }

  /** Waits for the client's turn to try its upstream. False where the time is over; rejects where it is interrupted. */
  turn(): Promise<boolean> {
    if (this.#left || performance.now() >= this.until) return Promise.resolve(false);
    this.#turn = Promise.withResolvers();
    this.#route.wait(this);
    return this.#turn.promise;
  }

  /** Ends the wait for its turn by `early`. */
  interrupt(early: Error): void {
    this.#route.forget(this);
    this.#turn?.reject(early);
  }

  /** The upstream was reached: all others of the route may try as well. */
  reached(): void {
    this.#route.open();
  }

  /** Called by the route. */
  settle(again: boolean): void {
    this.#turn?.resolve(again);
  }

  [Symbol.dispose](): void {
    if (this.#left) return;
    this.#left = true;
    this.#route.leave(this);
  }
}

function callWebhook(url: string, call: WakeCall): Promise<void> {
  return postJson(url, JSON.stringify(call), { timeout: WAKE_TIMEOUT_MS });
}
