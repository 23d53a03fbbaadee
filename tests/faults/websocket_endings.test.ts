/** The reason of each ending of a WebSocket, and the side that ended the connection. */

import { encodeId } from "../../lib/frame/tlv.ts";
import { Opcode } from "../../lib/transport/websocket/frames.ts";
import { ID } from "../bytes.ts";
import { type Ending, finishes, sends, sendsFrame, testEndings, untilEnded } from "../observe/endings.ts";
import { RawWebSocket, request } from "../transport/websocket/raw.ts";
import { closing, wire } from "../transport/websocket/wire.ts";

const text = (line: string) => new TextEncoder().encode(line);

/** A WebSocket that sends `frames` after its handshake, and reads until the balancer closes. */
function overWebSocket(...frames: Uint8Array[]): Ending["end"] {
  return async ({ port }) => {
    using socket = await RawWebSocket.open(port);
    await socket.send(...frames);
    await socket.frames();
  };
}

testEndings([
  {
    name: "half a WebSocket handshake",
    changes: { timeouts: { id: 200 } },
    end: sends(text("GET / HTTP/1.1\r\nHost: a\r\n")),
    expected: ["ID_TIMEOUT by balancer"],
  },
  {
    name: "a WebSocket without an ID",
    changes: { timeouts: { id: 200 } },
    end: overWebSocket(),
    expected: ["ID_TIMEOUT by balancer"],
  },
  {
    name: "a WebSocket that is closed without an ID",
    end: overWebSocket(wire({ opcode: Opcode.CLOSE, payload: closing(1000) })),
    expected: ["probe by client"],
  },
  {
    name: "a WebSocket that is closed within the ID frame",
    end: overWebSocket(wire({ payload: ID.subarray(0, 4) }), wire({ opcode: Opcode.CLOSE })),
    expected: ["BAD_FRAME by balancer"],
  },
  {
    name: "a WebSocket whose first message is text",
    end: overWebSocket(wire({ opcode: Opcode.TEXT, payload: "1" })),
    expected: ["BAD_FRAME by balancer"],
  },
  {
    name: "an unknown ID over a WebSocket",
    end: overWebSocket(wire({ payload: encodeId("2") })),
    expected: ["UNKNOWN_ID by balancer"],
  },
  {
    name: "a WebSocket of another version",
    end: sends(text(request({ "Sec-WebSocket-Version": "8" }))),
    expected: ["BAD_FRAME by balancer"],
    detail: /426/,
  },
  {
    name: "a WebSocket handshake over 8 KiB",
    end: sends(text(request({ "X-Long": "x".repeat(9000) }))),
    expected: ["BAD_FRAME by balancer"],
    detail: /431/,
  },
  {
    name: "a WebSocket control frame over 125 bytes",
    end: sendsFrame(wire({ opcode: Opcode.PING, payload: new Uint8Array(126) })),
    expected: ["BAD_FRAME by balancer"],
  },
  {
    name: "a text message over a WebSocket",
    end: sendsFrame(wire({ opcode: 1, payload: "x" })),
    expected: ["BAD_FRAME by balancer"],
  },
  {
    name: "a WebSocket frame without a mask",
    end: sendsFrame(wire({ masked: false })),
    expected: ["BAD_FRAME by balancer"],
  },
  {
    name: "a WebSocket close frame",
    end: sendsFrame(wire({ opcode: 8 })),
    expected: ["client_fin by client"],
  },
  {
    name: "a WebSocket request without a key",
    end: sends(text(request({ "Sec-WebSocket-Key": [] }))),
    expected: ["BAD_FRAME by balancer"],
  },
  {
    name: "a WebSocket from a foreign Origin",
    changes: {
      listeners: [{
        address: { host: "127.0.0.1", port: 0 },
        websocket: { path: "/", origins: ["https://app.example.com"] },
      }],
    },
    end: sends(text(request({ Origin: "https://evil.example.com" }))),
    expected: ["FORBIDDEN by balancer"],
  },
  {
    name: "a WebSocket frame with reserved bits",
    end: sendsFrame(wire({ rsv: 4 })),
    expected: ["BAD_FRAME by balancer"],
    detail: /WebSocket: /,
  },
  {
    name: "a WebSocket message over the size limit",
    end: sendsFrame(wire({ length: 1n << 62n })),
    expected: ["BAD_FRAME by balancer"],
    detail: /WebSocket: /,
  },
  {
    name: "a WebSocket close frame with an invalid code",
    end: sendsFrame(wire({ opcode: Opcode.CLOSE, payload: closing(1005) })),
    expected: ["BAD_FRAME by balancer"],
  },
  {
    name: "a WebSocket client that disconnects without a close frame",
    async end(balanced) {
      using socket = await RawWebSocket.open(balanced.port, wire({ payload: ID }));
      await socket.frame();
      socket.conn.close();
      await untilEnded(balanced, 1);
    },
    expected: ["client_reset by client"],
  },
  {
    name: "a truncated WebSocket handshake",
    end: finishes(text("GET / HTTP/1.1\r\nHost: a\r\n")),
    expected: ["BAD_FRAME by balancer"],
    detail: /refused with 400: the request ended within its head/,
  },
  {
    name: "a GET for metrics on a port for clients",
    end: sends(text("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")),
    expected: ["BAD_FRAME by balancer"],
    detail: /refused with 4/,
  },
]);
