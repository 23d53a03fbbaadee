/** The reason of each ending within a PROXY header or with TLS, and the side that ended the connection. */

import { connect as connectTls } from "node:tls";
import type { ListenerConfig } from "../../lib/config/config.ts";
import { ID, receiveAll, send } from "../bytes.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import type { Changes } from "../fixture.ts";
import { type Ending, finishes, sends, testEndings } from "../observe/endings.ts";
import { connectResetting } from "../relay/resetting.ts";
import { until } from "../wait.ts";

const text = (line: string) => new TextEncoder().encode(line);

/** A listener on a free port of loopback. */
const listener = (settings: Partial<ListenerConfig>): Changes => ({
  listeners: [{ address: { host: "127.0.0.1", port: 0 }, ...settings }],
});

const TRUSTING = listener({ proxy_protocol: { trusted: ["127.0.0.0/8"] } });

const PROXY: Ending[] = [
  {
    name: "half a PROXY header",
    changes: { ...TRUSTING, timeouts: { id: 200 } },
    end: sends(text("PROXY TCP4")),
    expected: ["ID_TIMEOUT by balancer"],
  },
  {
    name: "a PROXY header with a client that is denied",
    changes: { ...TRUSTING, deny: ["192.0.2.0/24"] },
    end: sends(text("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n")),
    expected: ["FORBIDDEN by balancer"],
  },
  {
    name: "an ID frame in place of the required PROXY header",
    changes: TRUSTING,
    end: sends(ID),
    expected: ["BAD_FRAME by balancer"],
    detail: /no valid PROXY header/,
  },
  {
    name: "a truncated PROXY header",
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
    name: "a PROXY header and nothing after it",
    changes: TRUSTING,
    end: finishes(text("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n")),
    expected: ["probe by client"],
  },
];

/** Turns on TLS at the listener, and runs `connect` against it. */
function overTls(connect: (port: number, certificate: Certificate) => Promise<void>): Ending["end"] {
  return async ({ balancer, config }) => {
    await using certificate = await Certificate.create("first");
    const { listeners } = listener({ tls: certificate.files });
    await balancer.reload({ ...config, listeners: listeners ?? [] });
    await connect(balancer.addresses[0]?.port ?? 0, certificate);
    await until(() => balancer.active === 0, "the connection is accounted for");
  };
}

/** A TLS client that has done its handshake. */
async function trusting(port: number, { pem }: Certificate): Promise<Deno.TlsConn> {
  const client = await Deno.connectTls({ hostname: "localhost", port, caCerts: [pem] });
  await client.handshake();
  return client;
}

const TLS: Ending[] = [
  {
    name: "a TLS handshake that is never finished",
    changes: { timeouts: { id: 300 } },
    end: overTls(async (port) => {
      using client = await Deno.connect({ hostname: "127.0.0.1", port });
      await send(client, Uint8Array.of(0x16, 3, 1, 2, 0, 1));
      await receiveAll(client);
    }),
    expected: ["ID_TIMEOUT by balancer"],
  },
  {
    name: "a TLS client that sends no ID",
    changes: { timeouts: { id: 1000 } },
    end: overTls(async (port, certificate) => {
      using client = await trusting(port, certificate);
      await receiveAll(client);
    }),
    expected: ["ID_TIMEOUT by balancer"],
  },
  {
    name: "a TLS handshake and nothing after it",
    end: overTls(async (port, certificate) => (await trusting(port, certificate)).close()),
    expected: ["probe by client"],
  },
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
    name: "a TLS record that is not a ClientHello",
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
    name: "a truncated TLS stream",
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

testEndings(PROXY);
testEndings(TLS, !hasOpenssl);
