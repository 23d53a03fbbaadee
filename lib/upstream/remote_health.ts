/** The health of a server in a thread that does not decide on it: dials are reported to the one that does. */

import type { HealthState } from "../observe/observer.ts";
import { type HealthSettings, type HealthView, type ServerHealth, shareOf } from "./health.ts";

/** The result of a client's dial to a server. */
export interface DialReport {
  readonly pool: string;
  /** `host:port` */
  readonly key: string;
  /** The error of a failed dial; undefined if it succeeded. */
  readonly problem: string | undefined;
}

/** The health of a server of a pool, as sent to another thread. */
export interface SentHealth extends HealthView {
  readonly pool: string;
  /** `host:port` */
  readonly key: string;
}

/** A copy of a server's health, which the deciding thread sets. Dials are not counted here. */
export class RemoteHealth implements ServerHealth {
  #state: HealthState = "up";
  #backSince = -Infinity;
  #onProbation = false;
  #slowStart = 0;
  readonly #now: () => number;

  /** @param now The clock, in milliseconds. */
  constructor(settings: HealthSettings, now: () => number = () => performance.now()) {
    this.#now = now;
    this.configure(settings);
  }

  get state(): HealthState {
    return this.#state;
  }

  get share(): number {
    return shareOf(this.#now() - this.#backSince, this.#slowStart);
  }

  get view(): HealthView {
    return { state: this.#state, backFor: this.#now() - this.#backSince, onProbation: this.#onProbation };
  }

  /** Unknown here: the other thread decides when an ejection ends. */
  get ejectedFor(): number {
    return 0;
  }

  /** Applies the health that the other thread has sent. */
  set({ state, backFor, onProbation }: HealthView): void {
    this.#state = state;
    this.#backSince = this.#now() - backFor;
    this.#onProbation = onProbation;
  }

  configure({ slowStart }: HealthSettings): void {
    this.#slowStart = slowStart;
  }

  /** Does nothing: only the deciding thread runs checks, and dials are reported to it. */
  checked(): void {}

  unchecked(): void {}

  dialed(): void {}
}
