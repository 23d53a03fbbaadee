/** Who gets in: decided by address and by what is open already, before a byte is read where that is possible. */

import type { Config } from "../config/config.ts";
import { Refusal } from "../errors.ts";
import { AccessList } from "./access_list.ts";

/** What one configuration says of who gets in. Immutable, and swapped whole. */
export class Admission {
  readonly #access: AccessList | undefined;

  constructor({ allow, deny }: Pick<Config, "allow" | "deny">) {
    if (allow || deny.length > 0) this.#access = new AccessList({ allow, deny });
  }

  /**
   * Lets a connection from `address` in.
   *
   * @throws {Refusal} FORBIDDEN where the lists keep it out
   */
  admit(address: string): void {
    const verdict = this.#access?.verdict(address);
    if (!verdict || verdict.allowed) return;
    throw new Refusal("FORBIDDEN", `connections from ${address} are not allowed`, { cause: verdict.because });
  }
}
