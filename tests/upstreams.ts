/** Upstreams on free ports of loopback. */

import { isListening } from "../scripts/bench/processes.ts";
import { send } from "./bytes.ts";
import { until } from "./wait.ts";

/** An upstream that passes each connection to `serve` and closes it afterwards. @param onPort 0 for any free port. */
export function startUpstream(serve: (conn: Deno.TcpConn) => Promise<void>, onPort = 0) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: onPort });
  const running = new Set<Promise<void>>();
  const open = new Set<Deno.TcpConn>();
  const handle = async (conn: Deno.TcpConn) => {
    open.add(conn);
    try {
      await serve(conn);
    } catch {
      // the balancer ended the connection, which the test asserts on the client's side
    } finally {
      conn[Symbol.dispose]();
      open.delete(conn);
    }
  };
  const accepting = (async () => {
    try {
      for (;;) {
        const work = handle(await listener.accept());
        running.add(work);
        void work.finally(() => running.delete(work));
      }
    } catch {
      // closed
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of open) conn[Symbol.dispose]();
      await Promise.all(running);
    },
  };
}

/** An upstream that echoes. */
export function startEcho(onPort = 0) {
  return startUpstream(echo, onPort);
}

/**
 * Ends `echo` and resolves to the time that this took. Its port may accept for a moment longer: a process that is being
 * started elsewhere holds a copy of the socket, and resets what it has accepted when it closes.
 */
export async function kill(echo: AsyncDisposable & { port: number }) {
  const started = performance.now();
  await echo[Symbol.asyncDispose]();
  await until(async () => !await isListening(echo.port), "nothing accepts on the port");
  return { started, ended: performance.now() };
}

/** Echoes until the peer has finished. */
export async function echo(conn: Pick<Deno.Conn, "read" | "write">): Promise<void> {
  const buffer = new Uint8Array(64 << 10);
  for (let count; (count = await conn.read(buffer)) !== null;) await send(conn, buffer.subarray(0, count));
}

/** An upstream that answers each connection with its name. */
export function startNamed(name: string, onPort = 0) {
  return startUpstream(async (conn) => {
    // all that was received: closing it unread would reset the connection
    await conn.read(new Uint8Array(64 << 10));
    await send(conn, new TextEncoder().encode(name));
  }, onPort);
}
