/** Cancelling a pending connect. */

/**
 * A controller whose signal cancels `Deno.connect` without leaking a socket.
 *
 * Before it returns, `Deno.connect` calls `throwIfAborted` on its signal, even if it has just connected: the connection
 * is then dropped without being closed (seen on 2.9.6). This signal never throws, so a connect either resolves, and the
 * caller closes a connection that is too late, or rejects because it was cancelled.
 *
 * Deno.connect ignores a signal that is already aborted: check for that first.
 */
export function connectCanceller(): AbortController {
  const controller = new AbortController();
  controller.signal.throwIfAborted = () => {};
  return controller;
}
