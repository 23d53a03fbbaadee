/** Short measurements by `bench`. */

import { sized } from "../soak.ts";
import { type Ran, run } from "./command.ts";

/** Runs bench with ID 1, and again for longer if a busy machine has completed nothing. */
export async function benchBriefly(...args: string[]): Promise<Ran> {
  const first = await run("bench", "--id", "1", "--duration", `${sized(3000)}ms`, ...args);
  return first.status === 1 ? await run("bench", "--id", "1", "--duration", "10s", ...args) : first;
}
