/** The reason of each ending that a fault leads to, and the side that ended the connection. */

import type { OnRemoval } from "../../lib/config/config.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { concat, ID, receive, receiveAll, send } from "../bytes.ts";
import { type Ending, finishes, relayed, sends, testEndings, untilEnded } from "../observe/endings.ts";
import { connectResetting, reset, startResetting } from "../relay/resetting.ts";
import { startSilent } from "../silent.ts";
import { until } from "../wait.ts";

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
  { name: "a RST before any byte", end: resets(new Uint8Array()), expected: ["probe by client"] },
  {
    name: "an unknown ID and 1 MB of unread data",
    end: sends(concat(encodeId("2"), new Uint8Array(1 << 20))),
    expected: ["UNKNOWN_ID by balancer"],
  },
  {
    name: "an ID, 1 MB and a FIN in one write",
    end: finishes(concat(ID, new Uint8Array(1 << 20))),
    expected: ["client_fin by client"],
  },
  {
    name: "a silent client that is evicted for another",
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
    name: "no open file is left for the upstream",
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
      await send(conn, new TextEncoder().encode("220 no TLS here\r\n"));
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

testEndings([...FRAMES, ...SHUTDOWN, ...UPSTREAMS]);
