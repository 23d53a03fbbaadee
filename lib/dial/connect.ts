/** Reaching an upstream. */

import type { HostPort } from "../config/config.ts";
import type { Deadlines } from "../deadline.ts";
import { messageOf, Refusal } from "../errors.ts";

/** What dialing needs of the platform; tests put their own in its place. */
export type Connect = (options: { hostname: string; port: number }) => Promise<Deno.TcpConn>;

/** Connects to `upstream`, name resolution included, within the deadline. */
export async function dial(
  upstream: HostPort,
  deadlines: Deadlines,
  connect: Connect = Deno.connect,
): Promise<Deno.TcpConn> {
  const attempt = connect({ hostname: upstream.host, port: upstream.port });
  return await deadlines.guard(
    attempt,
    () => new Deno.errors.TimedOut(`no answer within ${deadlines.duration} ms`),
    (late) => late.close(),
  );
}

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
