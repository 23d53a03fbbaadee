import { DialError, dialErrorOf, unavailable } from "../../lib/upstream/dial_error.ts";
import { assertEquals, assertStrictEquals } from "../assert.ts";

const withCode = (code: string) => Object.assign(new Error("no words that tell"), { code });

const CASES: readonly (readonly [unknown, DialError["reason"]])[] = [
  [new Deno.errors.ConnectionRefused("x"), "refused"],
  [withCode("ECONNREFUSED"), "refused"],
  [new Deno.errors.TimedOut("x"), "timeout"],
  [withCode("ETIMEDOUT"), "timeout"],
  [withCode("ENETUNREACH"), "unreachable"],
  [withCode("EHOSTUNREACH"), "unreachable"],
  [new Error("failed to lookup address: no route to host, connection refused"), "failed"],
  ["not even an error", "failed"],
];

for (const [error, reason] of CASES) {
  Deno.test(`${error} (${(error as { code?: string }).code ?? "no code"}) is a dial error: ${reason}`, () => {
    assertEquals(dialErrorOf(error).reason, reason);
    assertStrictEquals(dialErrorOf(error).cause, error);
  });
}

Deno.test("an unreachable network is recognized by the code of the error", async () => {
  const error = await Deno.connect({ hostname: "255.255.255.255", port: 1 }).then(
    (conn) => conn.close(),
    (error: unknown) => error,
  );
  assertEquals(dialErrorOf(error).reason, "unreachable");
});

Deno.test("a dial error is unchanged, and a client gets its reason but not its message", () => {
  const error = new DialError("tls", "10.0.0.1: certificate expired");
  assertStrictEquals(dialErrorOf(error), error);
  const refusal = unavailable(error);
  assertEquals(
    [refusal.reason, refusal.message],
    [
      "UPSTREAM_UNAVAILABLE",
      "the upstream for this ID is unavailable: the TLS handshake with it failed",
    ],
  );
});
