/** The reason of each ending that a fault leads to, and who ended the connection. */

import { connect as connectTls } from "node:tls";
import type { ListenerConfig, OnRemoval } from "../../lib/config/config.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { Opcode } from "../../lib/transport/websocket/frames.ts";
import { concat, receive, receiveAll, send } from "../bytes.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { connectAndReset } from "../clients.ts";
import type { Changes } from "../fixture.ts";
import { type Ending, ID, relayed, sends, sendsFrame, testEndings, untilEnded } from "../observe/endings.ts";
import { connectResetting, reset, startResetting } from "../relay/resetting.ts";
import { startSilent } from "../silent.ts";
import { RawWebSocket } from "../transport/websocket/raw.ts";
import { closing, wire } from "../transport/websocket/wire.ts";
import { until } from "../wait.ts";

const text = (line: string) => new TextEncoder().encode(line);

/** A listener on a free port of loopback. */
const listener = (settings: Partial<ListenerConfig>): Changes => ({
  listeners: [{ address: { host: "127.0.0.1", port: 0 }, ...settings }],
});

const TRUSTING = listener({ proxy_protocol: { trusted: ["127.0.0.0/8"] } });

/** Sends `bytes` and then the FIN, and reads until the balancer closes. */
function finishes(bytes: Uint8Array): Ending["end"] {
  return async ({ connect }) => {
    using client = await connect();
    await send(client, bytes);
    await client.closeWrite();
    await receiveAll(client);
  };
}

/** Sends `bytes` and then a RST. */
function resets(bytes: Uint8Array): Ending["end"] {
  return async (balanced) => {
    const client = await connectResetting(balanced.port);
    await new Promise<void>((resolve) => void client.write(bytes, () => resolve()));
    await until(() => balanced.balancer.active === 1, "it is accepted");
    await reset(client);
    await untilEnded(balanced, 1);
  };
}

/** Removes the route of a relayed connection by a reload. */
function removesRoute(onRemoval: OnRemoval): Ending["end"] {
  return async (balanced) => {
    const { balancer, config } = balanced;
    const routes = config.routes.map((route) => ({ ...route, on_removal: onRemoval }));
    await balancer.reload({ ...config, routes });
    using client = await relayed(balanced);
    await balancer.reload({ ...config, routes: [] });
    await receiveAll(client);
  };
}

/** A client whose ID goes to `port` of loopback. */
function sendsTo(port: number): Ending["end"] {
  return async (balanced) => {
    const routes = [{ id: "1", host: "127.0.0.1", port }];
    await balanced.balancer.reload({ ...balanced.config, routes });
    await sends(ID)(balanced);
  };
}

const FRAMES: Ending[] = [
  {
    name: "a FIN inside the ID frame",
    end: finishes(ID.subarray(0, 5)),
    expected: ["BAD_FRAME by balancer"],
    detail: /ended inside the ID frame, after 5 bytes/,
  },
  { name: "a RST inside the ID frame", end: resets(ID.subarray(0, 5)), expected: ["client_reset by client"] },
  {
    name: "a RST before any byte",
    async end(balanced) {
      await connectAndReset(balanced.port);
      await untilEnded(balanced, 1);
    },
    expected: ["probe by client"],
  },
  {
    name: "an unknown ID and 1 MB that is not read",
    end: sends(concat(encodeId("2"), new Uint8Array(1 << 20))),
    expected: ["UNKNOWN_ID by balancer"],
  },
  {
    name: "an ID, 1 MB and a FIN in one write",
    end: finishes(concat(ID, new Uint8Array(1 << 20))),
    expected: ["client_fin by client"],
  },
  {
    name: "a silent client in whose place another one comes",
    changes: { limits: { connections: 1 } },
    async end(balanced) {
      const silent = await balanced.connect();
      await until(() => balanced.balancer.active === 1, "it is accepted");
      using client = await relayed(balanced);
      await receiveAll(silent);
      silent.close();
      await untilEnded(balanced, 1);
      await client.closeWrite();
      await receiveAll(client);
    },
    expected: ["LIMIT_EXCEEDED by balancer", "client_fin by client"],
    detail: /no ID/,
  },
];

const SHUTDOWN: Ending[] = [
  {
    name: "a route that is removed under on_removal: close",
    end: removesRoute("close"),
    expected: ["kicked by balancer"],
    detail: /its route was removed/,
  },
  {
    name: "a route that is removed under on_removal: drain",
    changes: { timeouts: { drain: 100 } },
    end: removesRoute("drain"),
    expected: ["drain by balancer"],
  },
  {
    name: "a silent client at the end of a drain",
    changes: { timeouts: { drain: 100 } },
    async end({ connect, balancer }) {
      const client = await connect();
      await until(() => balancer.active === 1, "it is accepted");
      await Promise.all([balancer.drain(), receiveAll(client).then(() => client.close())]);
    },
    expected: ["drain by balancer"],
  },
  {
    name: "a second signal",
    async end(balanced) {
      using client = await relayed(balanced);
      const drained = balanced.balancer.drain();
      await balanced.balancer.close();
      await Promise.all([drained, receiveAll(client)]);
    },
    expected: ["drain by balancer"],
  },
  {
    name: "a fault of the balancer itself",
    options: {
      observers: [{
        identified() {
          throw new TypeError("a fault");
        },
      }],
    },
    end: sends(ID),
    expected: ["internal by balancer"],
    detail: /a fault/,
  },
];

const UPSTREAMS: Ending[] = [
  {
    name: "an upstream that never answers a connect",
    changes: { timeouts: { connect: 200 } },
    async end(balanced) {
      using silent = await startSilent();
      await sendsTo(silent.port)(balanced);
    },
    expected: ["UPSTREAM_UNAVAILABLE by balancer"],
    detail: /no answer within 200ms/,
  },
  {
    name: "an upstream that resets after it was reached",
    async end(balanced) {
      await using upstream = await startResetting();
      const sending = sendsTo(upstream.port)(balanced);
      await reset(await upstream.reached());
      await sending;
    },
    expected: ["upstream_reset by upstream"],
  },
  {
    name: "no open file left for the upstream",
    options: {
      connect: () => Promise.reject(Object.assign(new Error("Too many open files"), { code: "EMFILE" })),
    },
    end: sends(ID),
    expected: ["UPSTREAM_UNAVAILABLE by balancer"],
    detail: /Too many open files/,
  },
  {
    name: "an upstream that does not speak TLS",
    async end(balanced) {
      const routes = balanced.config.routes.map((route) => ({ ...route, tls: {} }));
      await balanced.balancer.reload({ ...balanced.config, routes });
      await sends(ID)(balanced);
    },
    upstream: async (conn) => {
      await receive(conn, 1);
      await send(conn, text("220 no TLS here\r\n"));
    },
    expected: ["UPSTREAM_UNAVAILABLE by balancer"],
    detail: /TLS/,
  },
  {
    name: "a client that resets while the upstream is dialed",
    changes: { timeouts: { connect: 400 } },
    async end(balanced) {
      using silent = await startSilent();
      const routes = [{ id: "1", host: "127.0.0.1", port: silent.port }];
      await balanced.balancer.reload({ ...balanced.config, routes });
      await resets(ID)(balanced);
    },
    // it is not read meanwhile, so the deadline comes first
    expected: ["UPSTREAM_UNAVAILABLE by balancer"],
  },
];

const PROXY: Ending[] = [
  {
    name: "an ID frame where a PROXY header is due",
    changes: TRUSTING,
    end: sends(ID),
    expected: ["BAD_FRAME by balancer"],
    detail: /no valid PROXY header/,
  },
  {
    name: "a PROXY header that is cut",
    changes: TRUSTING,
    end: finishes(text("PROXY TCP4 192.0.2.7")),
    expected: ["BAD_FRAME by balancer"],
    detail: /the connection ended within it, after 20 bytes/,
  },
  {
    name: "a PROXY header over 107 bytes",
    changes: TRUSTING,
    end: sends(text("PROXY " + "x".repeat(200))),
    expected: ["BAD_FRAME by balancer"],
  },
  {
    name: "a PROXY header from a peer that is not trusted",
    end: sends(text("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n")),
    expected: ["BAD_FRAME by balancer"],
    detail: /looks like a PROXY header/,
  },
  {
    name: "a PROXY header and no more",
    changes: TRUSTING,
    end: finishes(text("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n")),
    expected: ["probe by client"],
  },
];

const WEBSOCKET: Ending[] = [
  {
    name: "a WebSocket message over the size limit",
    end: sendsFrame(wire({ length: 1n << 62n })),
    expected: ["BAD_FRAME by balancer"],
    detail: /WebSocket: /,
  },
  {
    name: "a WebSocket close frame with a code that is not valid",
    end: sendsFrame(wire({ opcode: Opcode.CLOSE, payload: closing(1005) })),
    expected: ["BAD_FRAME by balancer"],
  },
  {
    name: "a WebSocket client that is gone without a close frame",
    async end(balanced) {
      using socket = await RawWebSocket.open(balanced.port, wire({ payload: ID }));
      await socket.frame();
      socket.conn.close();
      await untilEnded(balanced, 1);
    },
    expected: ["client_reset by client"],
  },
  {
    name: "a WebSocket handshake that is cut",
    end: finishes(text("GET / HTTP/1.1\r\nHost: a\r\n")),
    expected: ["BAD_FRAME by balancer"],
    detail: /refused with 400: the request ended within its head/,
  },
  {
    name: "a GET for metrics at the port of clients",
    end: sends(text("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")),
    expected: ["BAD_FRAME by balancer"],
    detail: /refused with 4/,
  },
];

/** Has the listener speak TLS, and lets a client of another opinion connect. */
function overTls(connect: (port: number, certificate: Certificate) => Promise<void>): Ending["end"] {
  return async ({ balancer, config }) => {
    await using certificate = await Certificate.create("first");
    const { listeners } = listener({ tls: certificate.files });
    await balancer.reload({ ...config, listeners: listeners ?? [] });
    await connect(balancer.addresses[0]?.port ?? 0, certificate);
    await until(() => balancer.active === 0, "the connection is accounted for");
  };
}

const TLS: Ending[] = [
  {
    name: "a client that does not speak TLS to a listener that does",
    end: overTls(async (port) => {
      using client = await Deno.connect({ hostname: "127.0.0.1", port });
      await send(client, ID);
      await receiveAll(client);
    }),
    expected: ["BAD_FRAME by balancer"],
    detail: /this listener expects TLS/,
  },
  {
    name: "a TLS record that is no ClientHello",
    end: overTls(async (port) => {
      using client = await Deno.connect({ hostname: "127.0.0.1", port });
      await send(client, Uint8Array.of(0x16, 3, 1, 0, 4, 9, 9, 9, 9));
      await receiveAll(client);
    }),
    expected: ["BAD_FRAME by balancer"],
    detail: /TLS handshake: /,
  },
  {
    name: "a client that does not trust the listener's certificate",
    end: overTls(async (port) => {
      using client = await Deno.connectTls({ hostname: "localhost", port });
      await client.handshake().catch(() => {});
    }),
    expected: ["BAD_FRAME by client"],
    detail: /TLS handshake: .*the other side does not trust the certificate/,
  },
  {
    name: "a client that ends within the TLS handshake",
    end: overTls(async (port) => {
      using client = await Deno.connect({ hostname: "127.0.0.1", port });
      await send(client, Uint8Array.of(0x16, 3, 1, 2, 0, 1));
    }),
    expected: ["BAD_FRAME by client"],
    detail: /TLS handshake: /,
  },
  {
    name: "a TLS stream that is cut",
    end: overTls(async (port, { pem }) => {
      const raw = await connectResetting(port);
      const client = connectTls({ socket: raw, ca: pem, servername: "localhost" });
      client.on("error", () => {});
      client.write(ID);
      await new Promise((resolve) => client.once("data", resolve));
      raw.destroy();
    }),
    expected: ["client_reset by client"],
  },
];

testEndings([...FRAMES, ...SHUTDOWN, ...UPSTREAMS, ...PROXY, ...WEBSOCKET]);
testEndings(TLS, !hasOpenssl);
