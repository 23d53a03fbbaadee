/** Upstreams on free ports of loopback. */

import { send } from "./bytes.ts";

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
