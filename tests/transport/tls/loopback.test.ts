import { connect, type Socket } from "node:net";
import { LOOPBACK, Loopback } from "../../../lib/transport/tls/loopback.ts";
import { assertEquals } from "../../assert.ts";

/** A socket from `port` of another address of this machine. */
async function stranger(to: number, port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: LOOPBACK, port: to, localAddress: "127.0.0.2", localPort: port });
  socket.once("connect", () => resolve());
  socket.once("error", reject);
  await promise;
  socket.on("error", () => {}); // it is closed by the other end, which is what is wanted
  return socket;
}

Deno.test({
  name: "a stranger that has the port of a link under way, on another address, does not get into it",
  // elsewhere loopback has one address unless more are set up
  ignore: Deno.build.os !== "linux",
  async fn() {
    const inner = Deno.listen({ hostname: LOOPBACK, port: 0 });
    const strangers: Socket[] = [];
    const late: Deno.TcpConn[] = [];
    /** Each link's own connection is handed over behind that of a stranger with the same port. */
    const accept = async () => {
      const waiting = late.pop();
      if (waiting) return waiting;
      const own = await inner.accept();
      strangers.push(await stranger(inner.addr.port, own.remoteAddr.port));
      late.push(own);
      return await inner.accept();
    };
    const loopback = new Loopback(
      { addr: inner.addr, accept, [Symbol.dispose]: () => inner.close() } as unknown as Deno.TcpListener,
    );
    const { dialed, accepted } = await loopback.connect();
    assertEquals(accepted.remoteAddr, dialed.localAddr);
    loopback.retire();
    for (const end of [dialed, accepted]) end.close();
    for (const socket of strangers) await new Promise((resolve) => socket.once("close", resolve).destroy());
  },
});
