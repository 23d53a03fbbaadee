/** Paths with TLS: a listener or an upstream that speaks it, with clients and certificates. */

import { createServer, type TlsOptions } from "node:tls";
import type { Upstream } from "../../../lib/config/config.ts";
import type { Authority, Certificate } from "../../certificates.ts";
import { type Changes, configTo, startBalancer } from "../../fixture.ts";
import { echo } from "../../upstreams.ts";

/** A balancer that speaks TLS, with ID 1 to `port`. @param trusted Proxies that send a PROXY header. */
export function startSecure(
  certificate: Certificate,
  port: number,
  changes: Changes = {},
  trusted?: string[],
) {
  const listener = { address: { host: "127.0.0.1", port: 0 }, tls: certificate.files };
  const listeners = [trusted ? { ...listener, proxy_protocol: { trusted } } : listener];
  const config = configTo(port, { listeners, ...changes });
  const balancer = startBalancer(config);
  return {
    ...balancer,
    config,
    secure: (caCerts = [certificate.pem]) =>
      Deno.connectTls({ hostname: "localhost", port: balancer.port, caCerts }),
  };
}

/** An upstream that speaks TLS and echoes. */
export function startSecureEcho(certificate: Certificate) {
  const { cert, key } = certificate.files;
  const pem = { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) };
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pem });
  const running: Promise<void>[] = [];
  const accepting = (async () => {
    try {
      for (;;) running.push(echoOver(await listener.accept()));
    } catch {
      // closed
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(running);
    },
  };
}

async function echoOver(conn: Deno.TlsConn): Promise<void> {
  using _conn = conn;
  try {
    await echo(conn);
    await conn.closeWrite();
  } catch {
    // refused by the balancer, which is what the test then sees
  }
}

/** A balancer that speaks TLS to the upstream of ID 1 on `port`. */
export function startSecuring(port: number, tls: NonNullable<Upstream["tls"]>, changes: Changes = {}) {
  const routes = [{ id: "1", host: "127.0.0.1", port, tls }];
  return startBalancer(configTo(port, { routes, ...changes }));
}

/** An upstream that echoes to clients with a certificate of `authority`, which has issued its own as well. */
export async function startDemanding(authority: Authority) {
  const files = await authority.issue("upstream");
  const [cert, key, ca] = [files.cert, files.key, authority.ca].map((file) => Deno.readTextFileSync(file));
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true } as TlsOptions);
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {}); // refused: seen at the client
    socket.pipe(socket);
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
