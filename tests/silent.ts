/** A server that does not answer connects. */

import { queuedConnections, SHOWS_SOCKETS, synSent } from "./sockets.ts";
import { until } from "./wait.ts";

/** The listener of `startSilent`. */
export type SilentServer = Awaited<ReturnType<typeof startSilent>>;

/** A listener whose backlog is full: the kernel drops every further SYN. */
export async function startSilent() {
  // tcpBacklog is undocumented; the kernel queues one connection more than it
  const options = { hostname: "127.0.0.1", port: 0, tcpBacklog: 1 };
  const listener = Deno.listen(options);
  const { port } = listener.addr;
  const queued = [await Deno.connect({ port }), await Deno.connect({ port })];
  // a client is connected a moment before the kernel has queued it: on a busy machine another could come first
  if (SHOWS_SOCKETS) await until(() => queuedConnections(port) === queued.length, "the backlog is full");
  return {
    port,
    /** Waits until every connect to it is cancelled. */
    untilCancelled: () => until(() => synSent(port) === 0, "every connect is cancelled"),
    /** Accepts the queued connections, and so answers again. */
    async wake() {
      for (const _ of queued) (await listener.accept()).close();
    },
    [Symbol.dispose]() {
      for (const conn of queued) conn.close();
      listener.close();
    },
  };
}

/** A test with a server that does not answer. It is ignored if the system does not show that the backlog is full. */
export function silentTest(name: string, test: (silent: SilentServer) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !SHOWS_SOCKETS,
    async fn() {
      using silent = await startSilent();
      await test(silent);
    },
  });
}
