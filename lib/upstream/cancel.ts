/** Cancelling a connect under way. */

/**
 * A controller whose signal cancels `Deno.connect` without losing a socket.
 *
 * As it ends, `Deno.connect` asks its signal to throw where it is aborted, also when it has just connected: the
 * connection is then dropped unclosed (seen on 2.9.6). This signal does not throw, so a connect either gives
 * a connection, which the caller closes if it comes too late, or rejects since it was cancelled.
 */
export function connectCanceller(): AbortController {
  const controller = new AbortController();
  controller.signal.throwIfAborted = () => {};
  return controller;
}
