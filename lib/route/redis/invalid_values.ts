/** Reports invalid values of the hash, with one log line for many of them. */

import { getLogger } from "@logtape/logtape";
import { quote } from "../../util/text.ts";
import { VALUE_EXPECTED } from "./value.ts";

const log = getLogger("switchyard");

/** Minimum time between two lines, in milliseconds. */
const PAUSE_MS = 10_000;

/** A value is neither `host:port` nor the name of a pool. */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";
}

/** Reports invalid values, and counts those that are not logged. */
export class InvalidValues {
  readonly #key: string;
  #unlogged = 0;
  #pauseUntil = 0;

  /** @param key Of the hash. */
  constructor(key: string) {
    this.#key = key;
  }

  /** Logs the value of an ID, and returns the error for its clients. */
  report(id: string, value: string): InvalidValue {
    const what = `the value of ID ${quote(id)} is ${quote(value)}, expected ${VALUE_EXPECTED}`;
    const now = performance.now();
    if (now < this.#pauseUntil) {
      this.#unlogged += 1;
      return new InvalidValue(what);
    }
    const more = this.#unlogged > 0 ? ` (${this.#unlogged} more since the last such line)` : "";
    this.#unlogged = 0;
    this.#pauseUntil = now + PAUSE_MS;
    log.warning(`redis: ${this.#key}: ${what}; its clients are refused${more}`);
    return new InvalidValue(what);
  }
}
