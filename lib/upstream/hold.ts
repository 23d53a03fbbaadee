/** Holds clients while their upstream cannot be reached, for a bounded time and number. */

import type { HoldConfig } from "../config/config.ts";
import { LinkedList, ListNode } from "../util/linked_list.ts";
import { type WakeCall, type Waker, WebhookWaker } from "./waker.ts";

/** Interval at which one of a route's held clients retries its upstream, in milliseconds. */
const RETRY_MS = 500;

/** Maximum number of remembered routes without held clients. */
const MOST_IDLE = 1000;

/** Options of `Hold`. */
export interface HoldOptions {
  /** Wakes upstreams. @default a `WebhookWaker` */
  readonly waker?: Waker | undefined;
  /** @default 500 */
  readonly retryMs?: number;
}

/** The held clients of every route. It survives reloads. */
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
   * Holds a client whose upstream could not be reached, until the result is disposed of. The first one triggers the
   * webhook. Undefined if the maximum number of clients is held already.
   */
  enter(config: HoldConfig, call: WakeCall): HeldClient | undefined {
    if (this.#closed) return undefined;
    const route = this.#route(call.route);
    if (route.held >= config.clients) return undefined;
    if (config.wake !== undefined) this.#waker.wake({ url: config.wake, for: config.for }, call);
    return route.enter(config.for);
  }

  /** Number of held clients. */
  get held(): number {
    return this.#routes.values().reduce((sum, { held }) => sum + held, 0);
  }

  /** Ends every wait, and holds no more clients. */
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

/** The held clients of one route. They retry one at a time, until one gets through. */
class HeldRoute {
  readonly #waiting = new LinkedList<HeldClient>();
  readonly #retryMs: number;
  readonly #onReached: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #held = 0;
  #closed = false;

  constructor(retryMs: number, onReached: () => void) {
    this.#retryMs = retryMs;
    this.#onReached = onReached;
  }

  /** Number of held clients. */
  get held(): number {
    return this.#held;
  }

  enter(ms: number): HeldClient {
    this.#held += 1;
    this.#timer ??= setInterval(() => this.#next(), this.#retryMs);
    return new HeldClient(this, performance.now() + ms);
  }

  leave(client: HeldClient): void {
    this.#waiting.leave(client);
    this.#held -= 1;
    if (this.#held === 0) this.#stop();
  }

  wait(client: HeldClient): void {
    if (this.#closed) client.settle(false);
    else this.#waiting.join(client);
  }

  /** Removes a client that no longer waits. */
  forget(client: HeldClient): void {
    this.#waiting.leave(client);
  }

  /** The upstream is reachable again: all clients retry. */
  open(): void {
    this.#onReached();
    for (const client of this.#waiting) this.#settle(client, true);
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    for (const client of this.#waiting) this.#settle(client, false);
  }

  #next(): void {
    const now = performance.now();
    for (const client of this.#waiting) if (client.until <= now) this.#settle(client, false);
    const { first } = this.#waiting;
    if (first) this.#settle(first, true);
  }

  #settle(client: HeldClient, again: boolean): void {
    this.#waiting.leave(client);
    client.settle(again);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** A held client. */
export class HeldClient extends ListNode<HeldClient> implements Disposable {
  /** When its wait times out, in milliseconds of `performance.now`. */
  readonly until: number;
  readonly #route: HeldRoute;
  #turn: PromiseWithResolvers<boolean> | undefined;
  #left = false;

  constructor(route: HeldRoute, until: number) {
    super();
    this.#route = route;
    this.until = until;
  }

  /** Waits for the client's turn to retry. Resolves to false if the time is over; rejects if it is interrupted. */
  turn(): Promise<boolean> {
    if (this.#left || performance.now() >= this.until) return Promise.resolve(false);
    this.#turn = Promise.withResolvers();
    this.#route.wait(this);
    return this.#turn.promise;
  }

  /** Rejects the wait for its turn with `early`. */
  interrupt(early: Error): void {
    this.#route.forget(this);
    this.#turn?.reject(early);
  }

  /** The upstream was reached: all other clients of the route may retry as well. */
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
