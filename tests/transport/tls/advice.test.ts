/** Each reason for refusing a certificate comes with advice, in real handshakes. */

import type { TlsConfig } from "../../../lib/config/config.ts";
import { withAdvice } from "../../../lib/transport/tls/advice.ts";
import { assertEquals, assertStringIncludes } from "../../assert.ts";
import { Authority, Certificate, hasOpenssl, openssl } from "../../certificates.ts";
import { run } from "../../cli/command.ts";
import { configTo, startBalancer } from "../../fixture.ts";

const ANYWHERE = { host: "127.0.0.1", port: 0 };

/** The error of a client that speaks TLS to a listener with these files, or to one without TLS. */
function errorOf(tls: TlsConfig | undefined, ...flags: string[]): Promise<string> {
  return errorAt("tls://localhost:PORT", tls, ...flags);
}

/** The error of a client that connects to `target`, with the listener's port. */
async function errorAt(target: string, tls: TlsConfig | undefined, ...flags: string[]): Promise<string> {
  await using balancer = startBalancer(
    configTo(9, { listeners: [{ address: ANYWHERE, ...(tls && { tls }) }] }),
  );
  const connect = target.replace("PORT", String(balancer.port));
  const { status, err } = await run("client", "--id", "1", "--connect", connect, ...flags);
  assertEquals([status, err.length], [1, 1], err.join("\n"));
  return err[0] ?? "";
}

function advised(name: string, advice: string, provoke: (authority: Authority) => Promise<string>): void {
  Deno.test({
    name: `${name}: the error has advice`,
    ignore: !hasOpenssl,
    async fn() {
      await using authority = await Authority.create();
      assertStringIncludes(await provoke(authority), advice);
    },
  });
}

advised(
  "a self-signed certificate",
  "not trusted: add it to ca (--ca)",
  async () => {
    await using certificate = await Certificate.create("first");
    return await errorOf(certificate.files);
  },
);

advised(
  "an issuer that is not trusted",
  "its issuer is not trusted, or it has expired: add the issuer's certificate",
  async (authority) => await errorOf(await authority.issue("one")),
);

advised(
  "a certificate for another name",
  "for another name: connect by that name, or set server_name",
  async (authority) =>
    await errorOf(await authority.issue("two", { names: ["other.example.com"] }), "--ca", authority.ca),
);

advised(
  "an expired certificate",
  "or it has expired: add the issuer's certificate to ca (--ca), or renew it",
  async (authority) => await errorOf(await authority.issue("three", { expired: true }), "--ca", authority.ca),
);

advised(
  "a port without TLS",
  "does not speak TLS: check the port, or connect without TLS",
  () => errorOf(undefined),
);

advised(
  "plain text to a listener with TLS",
  "expects TLS, but the client began with byte 1: connect with TLS",
  async () => {
    await using certificate = await Certificate.create("first");
    return await errorAt("localhost:PORT", certificate.files);
  },
);

advised("a WebSocket without TLS to a listener with it", "if it speaks TLS, use wss://", async () => {
  await using certificate = await Certificate.create("first");
  return await errorAt("ws://localhost:PORT/", certificate.files);
});

advised(
  "a client without the certificate that is required",
  "set cert and key (--cert, --key)",
  async (authority) => {
    const pair = await authority.issue("listener");
    return await errorOf({ ...pair, client_ca: authority.ca }, "--ca", authority.ca);
  },
);

Deno.test({
  name: "a client presents the certificate of --cert and --key",
  ignore: !hasOpenssl,
  async fn() {
    await using authority = await Authority.create();
    const tls = { ...await authority.issue("listener"), client_ca: authority.ca };
    const { cert, key } = await authority.issue("client");
    const error = await errorOf(tls, "--ca", authority.ca, "--cert", cert, "--key", key);
    assertStringIncludes(error, "UPSTREAM_UNAVAILABLE");
  },
});

Deno.test("--cert and --key belong together, and to TLS", async () => {
  const client = ["client", "--id", "1", "--cert", "cert.pem", "--connect"];
  const { err } = await run(...client, "tls://localhost:1");
  assertEquals(err, ["switchyard: --cert, --key: only together"]);
  const plain = await run(...client, "localhost:1");
  assertEquals(plain.err, [
    "switchyard: --cert: only with --connect tls://HOST:PORT or wss://HOST:PORT/PATH",
  ]);
});

const CONFIGURATION = new URL("../../../docs/configuration.md", import.meta.url);

for (const authority of ["CA:FALSE", "CA:TRUE"]) {
  Deno.test({
    name:
      `the openssl line of docs/configuration.md makes a certificate that clients accept, with ${authority} too`,
    ignore: !hasOpenssl,
    async fn() {
      const page = await Deno.readTextFile(CONFIGURATION);
      const [, line = ""] = /^(openssl req (?:.*\\\n)+.*)$/m.exec(page) ?? [];
      const folder = await Deno.makeTempDir();
      try {
        const words = line.replace("CA:FALSE", authority).replace(/\\\n/g, " ").split(/ +/).slice(1);
        const made = words.map((word) => word.endsWith(".pem") ? `${folder}/${word}` : word);
        assertEquals((await openssl(...made)).success, true, line);
        const tls = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
        assertStringIncludes(await errorOf(tls, "--ca", tls.cert), "UPSTREAM_UNAVAILABLE");
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("an unknown message is unchanged", () => {
  assertEquals(withAdvice("the peer has gone"), "the peer has gone");
});
