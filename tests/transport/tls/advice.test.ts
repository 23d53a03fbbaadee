/** Each way in which a certificate is not accepted comes with what to do, out of real handshakes. */

import { withAdvice } from "../../../lib/transport/tls/advice.ts";
import { assertEquals, assertStringIncludes } from "../../assert.ts";
import { Authority, Certificate, hasOpenssl } from "../../certificates.ts";
import { run } from "../../cli/command.ts";
import { configTo, startBalancer } from "../../fixture.ts";

const ANYWHERE = { host: "127.0.0.1", port: 0 };

/** The error of a client that speaks TLS to a listener with these files, or to one without TLS. */
async function errorOf(tls: { cert: string; key: string } | undefined, ...flags: string[]): Promise<string> {
  await using balancer = startBalancer(
    configTo(9, { listeners: [{ address: ANYWHERE, ...(tls && { tls }) }] }),
  );
  const words = ["client", "--id", "1", "--connect", `tls://localhost:${balancer.port}`, ...flags];
  const { status, err } = await run(...words);
  assertEquals([status, err.length], [1, 1], err.join("\n"));
  return err[0] ?? "";
}

function advised(name: string, advice: string, provoke: (authority: Authority) => Promise<string>): void {
  Deno.test({
    name: `${name}: the error says what to do`,
    ignore: !hasOpenssl,
    async fn() {
      await using authority = await Authority.create();
      assertStringIncludes(await provoke(authority), advice);
    },
  });
}

advised(
  "a self-signed certificate",
  "not trusted: name it by ca (--ca)",
  async () => {
    await using certificate = await Certificate.create("first");
    return await errorOf(certificate.files);
  },
);

advised(
  "an issuer that is not trusted",
  "its issuer is not trusted, or it has expired: name the issuer's certificate",
  async (authority) => await errorOf(await authority.issue("one")),
);

advised(
  "a certificate for another name",
  "for another name: connect by that one, or set server_name",
  async (authority) =>
    await errorOf(await authority.issue("two", { names: ["other.example.com"] }), "--ca", authority.ca),
);

advised(
  "an expired certificate",
  "or it has expired: name the issuer's certificate by ca (--ca), or renew it",
  async (authority) => await errorOf(await authority.issue("three", { expired: true }), "--ca", authority.ca),
);

advised(
  "a port without TLS",
  "does not speak TLS: check the port, or connect without TLS",
  () => errorOf(undefined),
);

Deno.test("a message that nothing is known of stays as it is", () => {
  assertEquals(withAdvice("the peer has gone"), "the peer has gone");
});
