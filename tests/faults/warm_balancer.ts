/** A balancer in a process of its own that has served a WebSocket, for several tests in turn. */

import { Opcode } from "../../lib/transport/websocket/frames.ts";
import { assertEquals } from "../assert.ts";
import { concat, ID, noise, receiveAll, send } from "../bytes.ts";
import { routeTo, said, serve, type Serving } from "../serving.ts";
import { freePort } from "../sockets.ts";
import { RawWebSocket } from "../transport/websocket/raw.ts";
import { wire } from "../transport/websocket/wire.ts";
import { startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";

const MIB = 1 << 20;

/** Starts the balancer before the first test of a file, and ends it after the last. @param ignore Whether none runs */
export function withWarmBalancer(ignore: boolean) {
  const upstreamPort = freePort();
  let serving: Serving | undefined;
  let idleFiles = 0;
  Deno.test.beforeAll(async () => {
    if (ignore) return;
    serving = await startWarm(upstreamPort);
    idleFiles = openFiles(serving);
    await serveOne(serving, upstreamPort);
    await until(() => openFiles(running()) <= idleFiles, "the first WebSocket's files are closed", 20_000);
  });
  Deno.test.afterAll(() => serving?.[Symbol.asyncDispose]());
  const running = () => {
    if (!serving) throw new Error("the balancer is started before the first test");
    return serving;
  };
  return {
    /** Number of files that it has open without a client. */
    idleFiles: () => idleFiles,
    openFiles: () => openFiles(running()),
    /** The balancer before an upstream with `serve`, and the growth of its memory. */
    started(serve: (conn: Deno.TcpConn) => Promise<void>) {
      const { port, balancer: { pid } } = running();
      const upstream = startUpstream(serve, upstreamPort);
      const before = resident(pid);
      const grown = () => resident(pid) - before;
      return { port, grown, [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose]() };
    },
  };
}

async function startWarm(upstreamPort: number): Promise<Serving> {
  // so few connections and no access log: a later line would be awaited in one test and come in another
  const settings = "limits: { connections: 1000 }\nlog: { access: false }\n";
  const serving = await serve(`${routeTo(upstreamPort)}${settings}`);
  await said(serving, "started");
  return serving;
}

async function serveOne({ port }: Serving, upstreamPort: number): Promise<void> {
  await using _upstream = startUpstream(async (conn) => {
    await send(conn, new Uint8Array(MIB));
    await receiveAll(conn);
  }, upstreamPort);
  const frames = concat(wire({ payload: ID }), wire({ payload: noise(MIB) }), wire({ opcode: Opcode.CLOSE }));
  using first = await RawWebSocket.open(port, frames);
  assertEquals((await first.rest()).payload.length, MIB);
}

function openFiles({ balancer }: Serving): number {
  return [...Deno.readDirSync(`/proc/${balancer.pid}/fd`)].length;
}

/** Resident memory of a process in bytes. */
function resident(pid: number): number {
  const [, kib = NaN] = /VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  return Number(kib) * 1024;
}
