/** The reason of each ending after one side has finished, and the side that ended the connection. */

import { Opcode } from "../../lib/transport/websocket/frames.ts";
import { ID, receiveAll, send } from "../bytes.ts";
import { type Ending, finishesFirst, relayed, testEndings, untilEnded } from "../observe/endings.ts";
import { connectResetting, reset, startResetting } from "../relay/resetting.ts";
import { RawWebSocket } from "../transport/websocket/raw.ts";
import { closing, wire } from "../transport/websocket/wire.ts";
import { until } from "../wait.ts";

/** A WebSocket whose upstream finishes. Calls `end` once the close frame has arrived. */
function onceClosed(end: (socket: RawWebSocket) => Promise<void>): Pick<Ending, "upstream" | "end"> {
  return {
    upstream: finishesFirst,
    async end({ port }) {
      using socket = await RawWebSocket.open(port, wire({ payload: ID }));
      while ((await socket.frame())?.opcode !== Opcode.CLOSE);
      await end(socket);
      await socket.frames();
    },
  };
}

testEndings([
  {
    name: "an upstream that finishes, and a client that sends nothing more",
    changes: { timeouts: { half_close: 200 } },
    upstream: finishesFirst,
    async end(balanced) {
      using _client = await relayed(balanced);
      await untilEnded(balanced, 1);
    },
    expected: ["idle by balancer"],
  },
  {
    name: "an upstream that finishes, and a client that resets",
    upstream: finishesFirst,
    async end(balanced) {
      const client = await connectResetting(balanced.port);
      client.resume().write(ID);
      await until(() => [...balanced.balancer.engine.registry][0]?.down.finished === true, "it has finished");
      await reset(client);
      await untilEnded(balanced, 1);
    },
    expected: ["client_reset by client"],
  },
  {
    name: "a client that finishes, and an upstream that resets",
    async end(balanced) {
      await using upstream = await startResetting();
      const routes = [{ id: "1", host: "127.0.0.1", port: upstream.port }];
      await balanced.balancer.reload({ ...balanced.config, routes });
      using client = await balanced.connect();
      await send(client, ID);
      await client.closeWrite();
      const socket = await upstream.reached();
      await until(() => [...balanced.balancer.engine.registry][0]?.up.finished === true, "it has finished");
      await reset(socket);
      await receiveAll(client).catch(() => {}); // it may be reset as well
    },
    expected: ["upstream_reset by upstream"],
  },
  {
    name: "an upstream that finishes, and a WebSocket client that answers with its close frame",
    ...onceClosed((socket) => socket.send(wire({ opcode: Opcode.CLOSE, payload: closing(1000) }))),
    expected: ["upstream_fin by upstream"],
  },
  {
    // its own data may be truncated
    name: "an upstream that finishes, and a WebSocket client that does not answer with a close frame",
    ...onceClosed((socket) => socket.conn.closeWrite()),
    expected: ["client_reset by client"],
    detail: /without a close frame/,
  },
]);
