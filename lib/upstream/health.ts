/**
 * The health of one server: a pure state machine on an injected clock, without timers and sockets.
 *
 * Active: `fall` failed checks in a row take a server down, `rise` passed ones bring it back. Passive: `maxFails`
 * failed dials within `failDuration` eject it, for `failDuration` the first time and twice as long each time that it
 * fails again soon after its return. A server that comes back gets its share of new connections gradually.
 */

import type { HealthState } from "../observe/observer.ts";

/** Limits of the state machine. Times are in milliseconds. */
export interface HealthSettings {
  /** Failed checks in a row that take a server down. */
  readonly fall: number;
  /** Passed checks in a row that bring it back. */
  readonly rise: number;
  /** Failed dials within `failDuration` that eject a server; 0 for never. */
  readonly maxFails: number;
  readonly failDuration: number;
  /** How long a server takes to get its whole share after it came back; 0 for at once. */
  readonly slowStart: number;
}

/** The longest absence of a server that is ejected again and again, in milliseconds. */
export const LONGEST_ABSENCE_MS = 300_000;

/** The share with which a slow start begins: without any, a server would never be tried. */
export const FIRST_SHARE = 0.1;

/** What other threads need to know of a server's health. Plain data. */
export interface HealthView {
  readonly state: HealthState;
  /** For how long it has been back, in milliseconds; negative while its ejection lasts. */
  readonly backFor: number;
  /** Whether one failed dial is enough to eject it: then a dial that succeeds counts, too. */
  readonly onProbation: boolean;
}

/** The health of a server, as seen by the thread that uses it. */
export type ServerHealth = Pick<
  Health,
  "state" | "share" | "ejectedFor" | "view" | "configure" | "checked" | "unchecked" | "dialed"
>;

/** The part of its weight that a server gets that has been back for `backFor` milliseconds. */
export function shareOf(backFor: number, slowStart: number): number {
  return backFor >= slowStart ? 1 : Math.max(FIRST_SHARE, backFor / slowStart);
}

/** See the top of the file. */
export class Health {
  readonly #now: () => number;
  #settings: HealthSettings;
  #down = false;
  /** Whether the last check passed, and how many in a row have had that result. */
  #lastCheck = true;
  #streak = 0;
  /** When the last failed dials were, at most `maxFails` of them. */
  #failures: number[] = [];
  /** Ejections in a row, each soon after the return from the one before. */
  #ejections = 0;
  #ejectedUntil = -Infinity;
  /** When it last came back, or will. */
  #backSince = -Infinity;
  /** From the end of an ejection until a dial succeeds, one failure is enough to eject it again. */
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

  /** How long an ejection still lasts, in milliseconds; 0 where there is none. */
  get ejectedFor(): number {
    return Math.max(0, this.#ejectedUntil - this.#now());
  }

  /** The part of its weight that counts now, more than 0 and at most 1: less than 1 during a slow start. */
  get share(): number {
    return shareOf(this.#now() - this.#backSince, this.#settings.slowStart);
  }

  get view(): HealthView {
    return { state: this.state, backFor: this.#now() - this.#backSince, onProbation: this.#onProbation };
  }

  /** Takes other limits from now on; the state stays. */
  configure(settings: HealthSettings): void {
    this.#settings = settings;
  }

  /** A check has passed, or failed. */
  checked(passed: boolean): void {
    const { fall, rise } = this.#settings;
    this.#streak = passed === this.#lastCheck ? this.#streak + 1 : 1;
    this.#lastCheck = passed;
    if (!passed && this.#streak >= fall) this.#down = true;
    if (passed && this.#streak >= rise && this.state !== "up") this.#comeBack();
  }

  /** There are no more checks, so their results no longer count. */
  unchecked(): void {
    this.#streak = 0;
    this.#down = false;
  }

  /** A client's dial has succeeded, or failed. */
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
    // one that has stayed for as long as it was absent begins anew
    if (now - this.#backSince >= this.#absence) this.#ejections = 0;
    this.#ejections += 1;
    this.#failures = [];
    this.#streak = 0;
    this.#ejectedUntil = this.#backSince = now + this.#absence;
    this.#onProbation = true;
  }

  /** How long the current ejection lasts, or the last one did. */
  get #absence(): number {
    const { failDuration } = this.#settings;
    const doubled = failDuration * 2 ** Math.max(0, this.#ejections - 1);
    return Math.min(doubled, Math.max(failDuration, LONGEST_ABSENCE_MS));
  }

  #comeBack(): void {
    // what ends an ejection early does not end the probation: clients' dials failed, not checks
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
