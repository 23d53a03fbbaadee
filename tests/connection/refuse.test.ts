import { refuse } from "../../lib/connection/refuse.ts";
import type { Connection } from "../../lib/connection/connection.ts";
import { assertEquals } from "../assert.ts";

/** A connection whose fields are not used, since its client cannot be reached. */
const CONNECTION = {} as Connection;

for (const code of ["EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN"]) {
  Deno.test(`a client whose network fails (${code}) counts as reset, not as a fault of the program`, async () => {
    const error = Object.assign(new Error("it is gone"), { code });
    const { reason, closedBy } = await refuse(CONNECTION, error);
    assertEquals([reason, closedBy], ["client_reset", "client"]);
  });
}

Deno.test("an unexpected error is internal", async () => {
  const closing = await refuse(CONNECTION, new TypeError("a fault"));
  assertEquals(closing, { reason: "internal", closedBy: "balancer", detail: "a fault" });
});
