/**
 * The health of one server: a pure state machine on an injected clock, without timers and sockets.
 *
 * Active checks: `fall` failed ones in a row take a server down, `rise` passed ones bring it back up. Passive checks:
 * `maxFails` failed dials within `failDuration` eject it, for `failDuration` the first time and twice as long each time
 * that it fails again soon after its return. A recovered server gets its share of new connections gradually.
 */

import type { HealthState } from "../observe/observer.ts";

/** Limits of the state machine. Times are in milliseconds. */
export interface HealthSettings {
  /** Failed checks in a row that take a server down. */
  readonly fall: number;
  /** Passed checks in a row that bring it back up. */
  readonly rise: number;
  /** Failed dials within `failDuration` that eject a server; 0: never. */
  readonly maxFails: number;
  readonly failDuration: number;
  /** How long a recovered server takes to get its full share, in milliseconds; 0: none. */
  readonly slowStart: number;
}

/** The maximum duration of an ejection, in milliseconds. */
export const LONGEST_ABSENCE_MS = 300_000;

/** The initial share in a slow start: with none, a server would never be tried. */
export const FIRST_SHARE = 0.1;

/** The health of a server as other threads need it. Plain data. */
export interface HealthView {
  readonly state: HealthState;
  /** Milliseconds since it recovered; negative during an ejection. */
  readonly backFor: number;
  /** Whether a single failed dial ejects it, in which case successful dials matter, too. */
  readonly onProbation: boolean;
}

/** The health of a server, as seen by the thread that uses it. */
export type ServerHealth = Pick<
  Health,
  "state" | "share" | "ejectedFor" | "view" | "configure" | "checked" | "unchecked" | "dialed"
>;

/** The share of its weight that a server gets `backFor` milliseconds after it recovered. */
export function shareOf(backFor: number, slowStart: number): number {
  return backFor >= slowStart ? 1 : Math.max(FIRST_SHARE, backFor / slowStart);
}

/** The health of one server, by active checks and by the dials of clients. */
export class Health {
  readonly #now: () => number;
  #settings: HealthSettings;
  #down = false;
  /** The result of the last check, and the number of checks in a row with that result. */
  #lastCheck = true;
  #streak = 0;
  /** Times of the last failed dials, at most `maxFails`. */
  #failures: number[] = [];
  /** Consecutive ejections, each soon after the end of the previous one. */
  #ejections = 0;
  #ejectedUntil = -Infinity;
  /** When it last recovered, or will. */
  #backSince = -Infinity;
  /** After an ejection, until a dial succeeds: a single failure ejects it again. */
  #onProbation = false;

  /** @param now The clock, in milliseconds. */
  constructor(settings: HealthSettings, now: () => number = () => performance.now()) {
    this.#settings = settings;
    this.#now = now;
  }

  get state(): HealthState {
    if (this.#down) return "down";
    return this.#now() < this.#ejectedUntil ? "ejected" : "up";
  }

  /** Remaining duration of its ejection, in milliseconds; 0 if there is none. */
  get ejectedFor(): number {
    return Math.max(0, this.#ejectedUntil - this.#now());
  }

  /** The share of its weight that it gets now, over 0 and at most 1: less than 1 during a slow start. */
  get share(): number {
    return shareOf(this.#now() - this.#backSince, this.#settings.slowStart);
  }

  get view(): HealthView {
    return { state: this.state, backFor: this.#now() - this.#backSince, onProbation: this.#onProbation };
  }

  /** Changes the limits; the state stays. */
  configure(settings: HealthSettings): void {
    this.#settings = settings;
  }

  /** Reports the result of a check. */
  checked(passed: boolean): void {
    const { fall, rise } = this.#settings;
    this.#streak = passed === this.#lastCheck ? this.#streak + 1 : 1;
    this.#lastCheck = passed;
    if (!passed && this.#streak >= fall) this.#down = true;
    if (passed && this.#streak >= rise && this.state !== "up") this.#comeBack();
  }

  /** Checks have been turned off, so their results no longer count. */
  unchecked(): void {
    this.#streak = 0;
    this.#down = false;
  }

  /** Reports the result of a client's dial. */
  dialed(connected: boolean): void {
    if (connected) this.#onProbation = false;
    else if (this.#settings.maxFails > 0 && this.state === "up") this.#dialFailed();
  }

  #dialFailed(): void {
    const { maxFails, failDuration } = this.#settings;
    const now = this.#now();
    this.#failures = this.#failures.filter((at) => now - at < failDuration);
    this.#failures.push(now);
    if (this.#onProbation || this.#failures.length >= maxFails) this.#eject(now);
  }

  #eject(now: number): void {
    // a server that was up for as long as its last ejection starts over
    if (now - this.#backSince >= this.#absence) this.#ejections = 0;
    this.#ejections += 1;
    this.#failures = [];
    this.#streak = 0;
    this.#ejectedUntil = this.#backSince = now + this.#absence;
    this.#onProbation = true;
  }

  /** The duration of the current or last ejection. */
  get #absence(): number {
    const { failDuration } = this.#settings;
    const doubled = failDuration * 2 ** Math.max(0, this.#ejections - 1);
    return Math.min(doubled, Math.max(failDuration, LONGEST_ABSENCE_MS));
  }

  #comeBack(): void {
    // ending the ejection early does not end the probation: dials of clients failed, not checks
    if (this.#down) {
      this.#ejections = 0;
      this.#onProbation = false;
    }
    this.#down = false;
    this.#failures = [];
    this.#ejectedUntil = -Infinity;
    this.#backSince = this.#now();
  }
}
