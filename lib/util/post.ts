/** Calling a webhook: one POST of JSON. */

import { durationText } from "./text.ts";

/** Options of a call. */
export interface PostOptions {
  /** Longest time for the answer, in milliseconds. */
  readonly timeout: number;
  /** @default none besides the content type */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends `body`, which is JSON. Redirects are not followed. @throws Error without an answer, or with a status of failure */
export async function postJson(url: string, body: string, { timeout, headers }: PostOptions): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
    redirect: "error",
    signal: AbortSignal.timeout(timeout),
  }).catch((error: unknown) => unreachable(error, timeout));
  await response.body?.cancel();
  if (!response.ok) throw new Error(`it answered ${response.status} ${response.statusText}`);
}

/** A URL without the parts that may hold a password or a token. */
export function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** The platform's message may be only "fetch failed": the reason is in the cause, with the URL, which is removed. */
function unreachable(error: unknown, timeout: number): never {
  if (error instanceof Error && error.name === "TimeoutError") {
    throw new Error(`no answer within ${durationText(timeout)}`, { cause: error });
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  throw new Error(message.replace(/^error sending request for url \(.*?\): /, ""), { cause: error });
}
