/** Holds clients whose upstream cannot be reached, until it can be, for a bounded time and number. */

import type { HoldConfig } from "../config/config.ts";
import { LinkedList, ListNode } from "../util/linked_list.ts";
import { type WakeCall, type Waker, WebhookWaker } from "./waker.ts";

/** How often one of a route's held clients tries its upstream, in milliseconds. */
const RETRY_MS = 500;

/** Routes that are remembered though they hold no clients. */
const MOST_IDLE = 1000;

/** What else has a part in it. */
export interface HoldOptions {
  /** Has upstreams woken. @default a `WebhookWaker` */
  readonly waker?: Waker | undefined;
  /** @default 500 */
  readonly retryMs?: number;
}

/** The held clients of every route. It outlasts a reload. */
export class Hold implements Disposable {
  readonly #routes = new Map<string, HeldRoute>();
  readonly #waker: Waker;
  readonly #retryMs: number;
  #closed = false;

  constructor({ waker = new WebhookWaker(), retryMs = RETRY_MS }: HoldOptions = {}) {
    this.#waker = waker;
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
    if (config.wake !== undefined) this.#waker.wake({ url: config.wake, for: config.for }, call);
    return route.enter(config.for);
  }

  /** Number of clients that are held. */
  get held(): number {
    return this.#routes.values().reduce((sum, { held }) => sum + held, 0);
  }

  /** Ends every wait, and holds no further clients. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const route of this.#routes.values()) route.close();
    this.#routes.clear();
  }

  #route(rule: string): HeldRoute {
    if (this.#routes.size > MOST_IDLE) {
      for (const [other, { held }] of this.#routes) if (held === 0) this.#routes.delete(other);
    }
    const route = this.#routes.get(rule) ?? new HeldRoute(this.#retryMs, () => this.#waker.reached(rule));
    this.#routes.set(rule, route);
    return route;
  }
}

/** The held clients of one route: they try in turn, one at a time, until one has got through. */
class HeldRoute {
  readonly #waiting = new LinkedList<Place>();
  readonly #retryMs: number;
  readonly #onReached: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #held = 0;
  #closed = false;

  constructor(retryMs: number, onReached: () => void) {
    this.#retryMs = retryMs;
    this.#onReached = onReached;
  }

  /** Number of clients that are held. */
  get held(): number {
    return this.#held;
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
    this.#onReached();
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
