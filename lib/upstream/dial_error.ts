/** The reason for a failed dial, as a value. */

import { messageOf, Refusal } from "../errors.ts";
import type { DialReason } from "../observe/observer.ts";

/** The message to the client for each reason. */
const REASONS: Readonly<Record<DialReason, string>> = {
  refused: "it refused the connection",
  timeout: "it did not answer in time",
  unresolved: "its name could not be resolved",
  unreachable: "it is unreachable from the balancer",
  tls: "the TLS handshake with it failed",
  failed: "connecting to it failed",
};

/** An upstream could not be reached. `message` is for operators: it may contain addresses. */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly reason: DialReason;

  constructor(reason: DialReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** `error` as a dial error: itself, or classified by its class and the system's error code. */
export function dialErrorOf(error: unknown): DialError {
  if (error instanceof DialError) return error;
  return new DialError(reasonOf(error), messageOf(error), { cause: error });
}

/** The refusal for a client whose upstream could not be reached. It does not reveal the upstream's address. */
export function unavailable(error: DialError): Refusal {
  return new Refusal(
    "UPSTREAM_UNAVAILABLE",
    `the upstream for this ID is unavailable: ${REASONS[error.reason]}`,
    { cause: error },
  );
}

function reasonOf(error: unknown): DialReason {
  if (error instanceof Deno.errors.ConnectionRefused) return "refused";
  if (error instanceof Deno.errors.TimedOut) return "timeout";
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return CODES.get(code) ?? "failed";
}

/** Error codes of the system without an error class on some version of the platform. */
const CODES: ReadonlyMap<unknown, DialReason> = new Map([
  ["ECONNREFUSED", "refused"],
  ["ETIMEDOUT", "timeout"],
  ["ENETUNREACH", "unreachable"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETDOWN", "unreachable"],
  ["EHOSTDOWN", "unreachable"],
]);
