/** TLS of the process, with openssl's client and a certificate that is renewed. */

import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { Certificate, hasOpenssl, openssl } from "../certificates.ts";
import { ID, receive, send } from "../bytes.ts";
import { startEcho } from "../upstreams.ts";
import { hasTls, start } from "./processes.ts";

Deno.test({
  name: "serve speaks TLS, and uses a renewed certificate after SIGHUP without affecting connections",
  // an executable on an older Deno has no TLS, which the test below is about
  ignore: !hasOpenssl || !hasTls || Deno.build.os === "windows",
  async fn() {
    await using certificate = await Certificate.create("first");
    await using upstream = startEcho();
    const config = `${certificate.files.cert}.yaml`;
    await Deno.writeTextFile(
      config,
      `listeners: [{ address: "127.0.0.1:0", tls: { cert: cert.pem, key: key.pem } }]
routes: [{ id: 1, host: 127.0.0.1, port: ${upstream.port} }]
`,
    );
    await using balancer = start({ command: [] }, ["serve", "-c", config]);
    await balancer.stderr.until("listening on");
    const [, port] = /listening on [^"\n]*:(\d+)/.exec(balancer.stderr.text) ?? [];
    assert(port !== undefined);
    const subject = async () => (await openssl("s_client", "-connect", `127.0.0.1:${port}`)).stdout;
    assertStringIncludes(await subject(), "CN = first");
    using client = await Deno.connectTls({
      hostname: "localhost",
      port: Number(port),
      caCerts: [certificate.pem],
    });
    await send(client, ID);
    assertEquals(await receive(client, ID.length), ID);
    await certificate.renew("second");
    Deno.kill(balancer.pid, "SIGHUP");
    await balancer.stderr.until("new certificate in use");
    assertStringIncludes(await subject(), "CN = second");
    await send(client, Uint8Array.of(7));
    assertEquals(await receive(client, 1), Uint8Array.of(7));
  },
});

Deno.test({
  name: "on a version of Deno that is too old for TLS, serve and check name the one that TLS needs",
  ignore: !hasOpenssl || hasTls,
  async fn() {
    await using certificate = await Certificate.create("first");
    const tls = `{ cert: ${certificate.files.cert}, key: ${certificate.files.key} }`;
    const config = `${certificate.files.cert}.yaml`;
    const sides = [
      `listeners: [{ address: "127.0.0.1:0", tls: ${tls} }]\nroutes: [{ id: 1, host: 127.0.0.1, port: 9 }]`,
      'listeners: [{ address: "127.0.0.1:0" }]\nroutes: [{ id: 1, host: 127.0.0.1, port: 9, tls: true }]',
    ];
    for (const side of sides) {
      await Deno.writeTextFile(config, side);
      for (const command of ["serve", "check"]) {
        await using run = start({ command: [] }, [command, "-c", config]);
        assertEquals(await run.status(), 2, run.stderr.text);
        assertStringIncludes(run.stderr.text, "TLS needs Deno 2.9.6 or later");
      }
    }
  },
});
