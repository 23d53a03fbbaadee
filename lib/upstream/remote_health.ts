/** The health of a server in a thread that does not decide on it: another one is told of dials, and sends its decisions. */

import type { HealthState } from "../observe/observer.ts";
import { type HealthSettings, type HealthView, type ServerHealth, shareOf } from "./health.ts";

/** The result of a client's dial to a server. */
export interface DialReport {
  readonly pool: string;
  /** `host:port` */
  readonly key: string;
  /** Why the dial has failed; undefined where it has succeeded. */
  readonly problem: string | undefined;
}

/** The health of a server of a pool, on its way to another thread. */
export interface SentHealth extends HealthView {
  readonly pool: string;
  /** `host:port` */
  readonly key: string;
}

/** See the top of the file. */
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

  /** The other thread decides when an ejection ends. */
  get ejectedFor(): number {
    return 0;
  }

  /** Uses the health that the other thread has sent. */
  set({ state, backFor, onProbation }: HealthView): void {
    this.#state = state;
    this.#backSince = this.#now() - backFor;
    this.#onProbation = onProbation;
  }

  configure({ slowStart }: HealthSettings): void {
    this.#slowStart = slowStart;
  }

  /** Nothing: no thread but the one that decides has checks, and it is told of dials by their reports. */
  checked(): void {}

  unchecked(): void {}

  dialed(): void {}
}
