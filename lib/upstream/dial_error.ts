/** What it means that an upstream could not be reached. */

import { messageOf, Refusal } from "../errors.ts";

/** Why an upstream could not be reached, in a word: for metrics and log lines. */
export function dialFailure(error: unknown): "refused" | "timeout" | "unresolved" | "unreachable" | "failed" {
  if (error instanceof Deno.errors.ConnectionRefused) return "refused";
  if (error instanceof Deno.errors.TimedOut) return "timeout";
  const message = messageOf(error);
  if (/lookup|getaddrinfo|resolve|ame or service|No address/i.test(message)) return "unresolved";
  return /unreachable|no route to host/i.test(message) ? "unreachable" : "failed";
}

/** The refusal that a client gets whose upstream could not be reached. It doesn't tell where the upstream is. */
export function unavailable(error: unknown): Refusal {
  const why = {
    refused: "it refused the connection",
    timeout: "it did not answer in time",
    unresolved: "its name could not be resolved",
    unreachable: "it cannot be reached from here",
    failed: "connecting to it failed",
  }[dialFailure(error)];
  return new Refusal("UPSTREAM_UNAVAILABLE", `the upstream for this ID is unavailable: ${why}`, {
    cause: error,
  });
}
