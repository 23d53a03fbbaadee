import type { TlsConfig } from "../../../lib/config/config.ts";
import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { Authority, Certificate, hasOpenssl, openssl, opensslSending, tlsTest } from "../../certificates.ts";
import { ID, receive, send } from "../../bytes.ts";
import { refused } from "../../clients.ts";
import { configTo, startBalancer } from "../../fixture.ts";
import { startEcho } from "../../upstreams.ts";

/** Certificates that no test changes, made once: those of an authority, of another one, and a self-signed one. */
async function makeCertificates() {
  const [authority, other, self] = await Promise.all([
    Authority.create(),
    Authority.create(),
    Certificate.create("self"),
  ]);
  const server = await authority.issue("server");
  const device = await authority.issue("device");
  const invalid = [
    self.files,
    await other.issue("device"),
    await authority.issue("old", { expired: true }),
    await authority.issue("servers-only", { usage: "serverAuth" }),
  ];
  return {
    authority,
    server,
    device,
    invalid,
    async [Symbol.asyncDispose]() {
      for (const made of [authority, other, self]) await made[Symbol.asyncDispose]();
    },
  };
}

type Certificates = Awaited<ReturnType<typeof makeCertificates>>;
let certificates: Certificates | undefined;

Deno.test.beforeAll(async () => {
  if (hasOpenssl) certificates = await makeCertificates();
});

Deno.test.afterAll(() => certificates?.[Symbol.asyncDispose]());

function made(): Certificates {
  assert(certificates);
  return certificates;
}

function listen(port: number, tls: TlsConfig) {
  const listeners = [{ address: { host: "127.0.0.1", port: 0 }, tls }];
  return startBalancer(configTo(port, { listeners }));
}

/** Connects with a certificate of its own, or without one. */
function connect(port: number, ca: string, files?: { cert: string; key: string }): Promise<Deno.TlsConn> {
  const own = files && { cert: Deno.readTextFileSync(files.cert), key: Deno.readTextFileSync(files.key) };
  return Deno.connectTls({ hostname: "localhost", port, caCerts: [Deno.readTextFileSync(ca)], ...own });
}

for (const client_cert of ["required", "optional"] as const) {
  tlsTest(`${client_cert}: a client with a valid certificate is served`, async () => {
    const { authority, server, device } = made();
    await using upstream = startEcho();
    await using balancer = listen(upstream.port, { ...server, client_ca: authority.ca, client_cert });
    using client = await connect(balancer.port, authority.ca, device);
    await send(client, ID);
    assertEquals(await receive(client, ID.length), ID);
  });

  for (const version of ["tls1_2", "tls1_3"]) {
    tlsTest(
      `${client_cert}, ${version}: a certificate that is not valid gets FORBIDDEN and nothing else`,
      async () => {
        const { authority, server, invalid } = made();
        await using upstream = startEcho();
        await using balancer = listen(upstream.port, { ...server, client_ca: authority.ca, client_cert });
        for (const { cert, key } of invalid) {
          const at = ["-connect", `127.0.0.1:${balancer.port}`, `-${version}`, "-quiet", "-ign_eof"];
          const { stdout } = await openssl("s_client", ...at, "-cert", cert, "-key", key);
          assertStringIncludes(stdout, "the client's certificate is not valid", cert);
        }
      },
    );

    tlsTest(
      `${client_cert}, ${version}: a session is not resumed in place of a certificate`,
      async () => {
        const { authority, server, invalid: [, foreign] } = made();
        assert(foreign);
        const { cert, key } = foreign;
        await using upstream = startEcho();
        await using balancer = listen(upstream.port, { ...server, client_ca: authority.ca, client_cert });
        const at = ["-connect", `127.0.0.1:${balancer.port}`, `-${version}`, "-ign_eof"];
        const session = `${cert}.${client_cert}.${version}.session`;
        await openssl("s_client", ...at, "-cert", cert, "-key", key, "-sess_out", session);
        const saved = await Deno.stat(session).then(() => ["-sess_in", session], () => []);
        const { stdout } = await openssl("s_client", ...at, "-cert", cert, "-key", key, ...saved);
        assertStringIncludes(stdout, "the client's certificate is not valid");
      },
    );
  }
}

for (const version of ["tls1_2", "tls1_3"]) {
  tlsTest(
    `${version}: a session is resumed for a certificate that was valid, and for no other listener's`,
    async () => {
      const { authority, server, device: { cert, key } } = made();
      await using asking = listen(9, { ...server, client_ca: authority.ca });
      await using open = listen(9, server);
      /** Connects with the certificate `own`, and resumes the saved session if there is one. */
      const connected = async (port: number, session: string, ...own: string[]) => {
        const at = [
          "-connect",
          `127.0.0.1:${port}`,
          `-${version}`,
          "-servername",
          "localhost",
          "-sess_out",
          session,
        ];
        const saved = await Deno.stat(session).then(() => ["-sess_in", session], () => []);
        // an invalid frame is refused at once, so there is no wait for timeouts.id
        const noFrame = Uint8Array.of(0xff);
        return (await opensslSending(noFrame, "s_client", ...at, ...saved, ...own, "-ign_eof")).stdout;
      };
      const [known, foreign] = [`${cert}.${version}.known`, `${cert}.${version}.foreign`];
      assertStringIncludes(await connected(asking.port, known, "-cert", cert, "-key", key), "New, TLS");
      const again = await connected(asking.port, known);
      assertStringIncludes(again, "Reused, TLS");
      assert(!again.includes("not valid"), again);
      await connected(open.port, foreign);
      const smuggled = await connected(asking.port, foreign);
      assertStringIncludes(smuggled, "Reused, TLS");
      assertStringIncludes(smuggled, "the client's certificate is not valid: none was presented");
    },
  );
}

tlsTest("required: a client without a certificate gets the TLS alert", async () => {
  const { authority, server } = made();
  await using balancer = listen(9, { ...server, client_ca: authority.ca });
  for (const version of ["tls1_2", "tls1_3"]) {
    const { stderr } = await openssl(
      ...["s_client", "-connect", `127.0.0.1:${balancer.port}`, `-${version}`, "-ign_eof"],
    );
    assertStringIncludes(stderr, "alert certificate required");
  }
});

tlsTest("optional: a client without a certificate is served", async () => {
  const { authority, server } = made();
  await using upstream = startEcho();
  await using balancer = listen(upstream.port, {
    ...server,
    client_ca: authority.ca,
    client_cert: "optional",
  });
  using client = await connect(balancer.port, authority.ca);
  await send(client, ID);
  assertEquals(await receive(client, ID.length), ID);
});

tlsTest("a client with a valid certificate and an unknown ID gets an ERROR frame", async () => {
  const { authority, server } = made();
  await using balancer = listen(9, { ...server, client_ca: authority.ca });
  using client = await connect(balancer.port, authority.ca, made().device);
  assertEquals(await refused(client, "nobody"), 4);
});

tlsTest(
  "certificates are selected by server name, also where clients need one; others get the first",
  async () => {
    await using authority = await Authority.create();
    const tls = {
      ...await authority.issue("first"),
      certificates: [
        await authority.issue("second", { names: ["second.example.com"] }),
        await authority.issue("third", { names: ["*.third.example.com"] }),
      ],
    };
    for (const client_ca of [undefined, authority.ca]) {
      await using balancer = listen(9, { ...tls, ...(client_ca && { client_ca }) });
      const subject = async (...name: string[]) => {
        const at = ["-connect", `127.0.0.1:${balancer.port}`, ...name];
        return /subject=CN = (\w+)/.exec((await openssl("s_client", ...at)).stdout)?.[1];
      };
      assertEquals(await subject("-servername", "second.example.com"), "second");
      assertEquals(await subject("-servername", "a.third.example.com"), "third");
      assertEquals(await subject("-servername", "unknown.example.com"), "first");
      assertEquals(await subject("-noservername"), "first");
      if (!client_ca) continue;
      const at = ["-connect", `127.0.0.1:${balancer.port}`, "-servername", "second.example.com"];
      const { stderr } = await openssl("s_client", ...at, "-ign_eof", "-quiet");
      assert(stderr.includes("alert certificate required"), stderr);
    }
  },
);
