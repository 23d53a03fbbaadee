/** Endings of connections: how each is caused, and its access record. */

import { accessRecord } from "../../lib/observe/access_line.ts";
import { Opcode } from "../../lib/transport/websocket/frames.ts";
import { assertEquals } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { type Changes, startPath } from "../fixture.ts";
import { until } from "../wait.ts";
import { RawWebSocket } from "../transport/websocket/raw.ts";
import { wire } from "../transport/websocket/wire.ts";

/** A balancer whose endings are recorded. */
export type Balanced = ReturnType<typeof start>;

type PathOptions = NonNullable<Parameters<typeof startPath>[2]>;

/** One way in which a connection ends. */
export interface Ending {
  readonly name: string;
  readonly changes?: Changes;
  readonly options?: PathOptions;
  /** Serves each connection of the upstream. @default echoes */
  readonly upstream?: Serve;
  /** Causes the ending. */
  readonly end: (balanced: Balanced) => Promise<void>;
  /** `reason` and `closed_by` of each connection, in the order in which they end. */
  readonly expected: readonly string[];
  /** Matches the `detail` of the first. */
  readonly detail?: RegExp;
}

/** Serves a connection of an upstream. @param ended Resolves when the balancer's first connection has ended. */
export type Serve = (conn: Deno.TcpConn, ended: Promise<void>) => Promise<void>;

/** A balancer with an upstream, and the records of its connections. */
export function start(
  changes: Changes,
  serve?: Serve,
  { observers = [], ...options }: PathOptions = {},
) {
  const endings: string[] = [];
  const details: string[] = [];
  const ended = Promise.withResolvers<void>();
  const path = startPath(serve && ((conn) => serve(conn, ended.promise)), changes, {
    ...options,
    observers: [...observers, {
      closed(connection, why) {
        const { reason, closed_by, detail } = accessRecord(connection, why);
        endings.push(`${reason} by ${closed_by}`);
        details.push(detail ?? "");
        ended.resolve();
      },
    }],
  });
  return { ...path, endings, details };
}

/** An upstream that answers the ID, and finishes before its client. */
export const finishesFirst: Serve = async (conn, ended) => {
  await send(conn, await receive(conn, ID.length));
  await conn.closeWrite();
  await ended;
};

/** A client whose ID has come back from the upstream. */
export async function relayed({ connect }: Balanced): Promise<Deno.TcpConn> {
  const client = await connect();
  await send(client, ID);
  await receive(client, ID.length);
  return client;
}

/** Sends `bytes` and reads until the balancer closes. */
export function sends(...bytes: number[] | [Uint8Array]): Ending["end"] {
  return async ({ connect }) => {
    using client = await connect();
    await send(client, bytes[0] instanceof Uint8Array ? bytes[0] : Uint8Array.from(bytes as number[]));
    await receiveAll(client);
  };
}

/** Sends `bytes` and then the FIN, and reads until the balancer closes. */
export function finishes(bytes: Uint8Array): Ending["end"] {
  return async ({ connect }) => {
    using client = await connect();
    await send(client, bytes);
    await client.closeWrite();
    await receiveAll(client);
  };
}

/** A relayed client that reads until the balancer closes. */
export const waits: Ending["end"] = async (balanced) => {
  using client = await relayed(balanced);
  await receiveAll(client);
};

/** Waits until `count` connections have ended. */
export function untilEnded({ endings }: Balanced, count: number): Promise<void> {
  return until(() => endings.length === count, `${count} connections have ended`);
}

/** A WebSocket over which an ID has been sent, and then `frame`. */
export function sendsFrame(frame: Uint8Array): Ending["end"] {
  return async ({ port }) => {
    using socket = await RawWebSocket.open(port, wire({ payload: ID }));
    await socket.send(frame);
    while ((await socket.frame())?.opcode === Opcode.BINARY);
  };
}

/** A test of each ending. */
export function testEndings(endings: readonly Ending[], ignore = false): void {
  for (const { name, changes = {}, upstream, options, end, expected, detail } of endings) {
    Deno.test({
      name: `${name}: ${expected.join(", ")}`,
      ignore,
      async fn() {
        await using balanced = start(changes, upstream, options);
        await end(balanced);
        await until(() => balanced.balancer.active === 0, "every connection is accounted for");
        assertEquals(balanced.endings, expected);
        if (detail) assertEquals(detail.test(balanced.details[0] ?? ""), true, balanced.details[0]);
      },
    });
  }
}
