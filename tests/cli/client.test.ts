import { AcceptanceServer } from "../../lib/acceptance/server.ts";
import { encodeError } from "../../lib/frame/tlv.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { receiveAll, send } from "../bytes.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { startEcho, startUpstream } from "../upstreams.ts";
import { benchBriefly } from "./brief_bench.ts";
import { run } from "./command.ts";

const ANYWHERE = { host: "127.0.0.1", port: 0 };

/** Runs client with ID 1 against `target`. */
function client(target: string, ...args: string[]) {
  return run("client", "--id", "1", "--connect", target, ...args);
}

for (const before of ["", "ws://", "WS://"]) {
  for (const behind of before === "" ? [""] : ["", "/", "/some/path?and=query"]) {
    Deno.test(`client gets its receipt at ${before}HOST:PORT${behind}`, async () => {
      await using server = new AcceptanceServer(ANYWHERE);
      await using balancer = startBalancer(configTo(server.address.port));
      const { status, out, err } = await client(`${before}127.0.0.1:${balancer.port}${behind}`);
      assertEquals([status, err], [0, []]);
      assertMatch(
        out.join("\n"),
        /^client 1: sent 1000 numbers, sum \d+, crc32 \d+; received the same: ok$/,
      );
    });
  }
}

const WANTED = "is not HOST:PORT, tls://HOST:PORT, ws://HOST:PORT/PATH or wss://HOST:PORT/PATH";

const WRONG: Readonly<Record<string, string>> = {
  "127.0.0.1": '"127.0.0.1" is not an address',
  "tcp://127.0.0.1:8888": `"tcp://127.0.0.1:8888" ${WANTED}`,
  "http://127.0.0.1:8888/": WANTED,
  "ws://127.0.0.1:65536/": WANTED,
  "ws://127.0.0.1:0/": WANTED,
  "ws://": WANTED,
  "tls://127.0.0.1": WANTED,
  "tls://127.0.0.1:8888/path": WANTED,
  "ws://user@127.0.0.1:8888/": WANTED,
  "ws://127.0.0.1:8888/#part": WANTED,
};

for (const [target, said] of Object.entries(WRONG)) {
  for (const command of ["client", "bench"]) {
    Deno.test(`${command} --connect ${target} is one line and exit status 2`, async () => {
      const { status, err } = await run(command, "--id", "1", "--connect", target);
      assertEquals([status, err.length], [2, 1]);
      assertStringIncludes(err[0] ?? "", `--connect: `);
      assertStringIncludes(err[0] ?? "", said);
    });
  }
}

for (const before of ["", "ws://"]) {
  Deno.test(`client at ${before}HOST:PORT prints the code of its refusal`, async () => {
    await using balancer = startBalancer(configTo(9, { routes: [] }));
    const { status, out, err } = await client(`${before}127.0.0.1:${balancer.port}`);
    assertEquals([status, out, err.length], [1, [], 1]);
    assertStringIncludes(err[0] ?? "", 'refused with UNKNOWN_ID (4): no route for ID "1"');
  });

  Deno.test(`client at ${before}HOST:PORT prints the address where nothing listens`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const { status, err } = await client(`${before}127.0.0.1:${port}`);
    assertEquals([status, err.length], [1, 1]);
    assertMatch(
      err[0] ?? "",
      new RegExp(`cannot connect to ${before}127.0.0.1:${port}.*is the balancer running`),
    );
  });
}

for (const command of [["client", "--count", "1"], ["bench", "--duration", "1s"]]) {
  Deno.test(`${command[0]} prints the text of an ERROR frame in one line, with any characters in it`, async () => {
    await using impostor = startUpstream(async (conn) => {
      await send(conn, encodeError(4, "no\n\u001b[31mroute"));
      await conn.closeWrite();
      await receiveAll(conn);
    });
    const [name = "", ...flags] = command;
    const words = ["--id", "a\u202eb", "--connect", `127.0.0.1:${impostor.port}`, ...flags];
    const { status, err } = await run(name, ...words);
    assertEquals(status, 1);
    assertStringIncludes(err.join("\n"), "(4): no\\u000a\\u001b[31mroute");
    assertEquals(err.filter((line) => /[\p{Cc}\u202e]/u.test(line)), []);
  });
}

Deno.test("client over WebSocket prints the status and the reason of a refused handshake", async () => {
  const listeners = [{ address: ANYWHERE, websocket: { path: "/here" } }];
  await using balancer = startBalancer(configTo(9, { listeners }));
  const { status, err } = await client(`ws://127.0.0.1:${balancer.port}/elsewhere`);
  assertEquals([status, err.length], [1, 1]);
  assertStringIncludes(err[0] ?? "", `cannot connect to ws://127.0.0.1:${balancer.port}/elsewhere: `);
  assertStringIncludes(
    err[0] ?? "",
    `refused the WebSocket handshake with "HTTP/1.1 404 Not Found": "there is no`,
  );
});

Deno.test({
  name: "client and bench speak tls:// and wss:// if they trust the certificate",
  ignore: !hasOpenssl,
  fn: async () => {
    await using certificate = await Certificate.create("first");
    await using server = new AcceptanceServer(ANYWHERE);
    const listeners = [{ address: ANYWHERE, tls: certificate.files }];
    await using balancer = startBalancer(configTo(server.address.port, { listeners }));
    const target = `wss://localhost:${balancer.port}/`;
    const trusting = await client(target, "--ca", certificate.files.cert);
    assertEquals([trusting.status, trusting.err], [0, []]);
    const raw = await client(`tls://localhost:${balancer.port}`, "--ca", certificate.files.cert);
    assertEquals([raw.status, raw.err], [0, []]);
    const wary = await client(target);
    assertEquals([wary.status, wary.err.length], [1, 1]);
    assertMatch(
      wary.err[0] ?? "",
      /cannot connect to wss:\/\/localhost:\d+\/: TLS handshake: self-signed certificate/,
    );
    await using echo = startEcho();
    await using other = startBalancer(configTo(echo.port, { listeners }));
    const words = ["--connect", `wss://localhost:${other.port}/`, "--ca", certificate.files.cert];
    const measured = await benchBriefly("--connections", "1", ...words);
    assertEquals([measured.status, measured.err], [0, []]);
  },
});

Deno.test("--ca that cannot be read, or for a target without TLS, is one line and exit status 2", async () => {
  const missing = await client("wss://127.0.0.1:8888/", "--ca", "no/such/file.pem");
  assertEquals([missing.status, missing.err.length], [2, 1], missing.err.join("\n"));
  assertStringIncludes(missing.err[0] ?? "", "--ca: no/such/file.pem: there is no such file");
  const plain = await client("ws://127.0.0.1:8888/", "--ca", new URL(import.meta.url).pathname);
  assertEquals([plain.status, plain.err.length], [2, 1]);
  assertStringIncludes(plain.err[0] ?? "", "--ca: only with --connect tls://");
});

Deno.test("--ca that holds no certificate is one line that names the file, and exit status 2", async () => {
  const file = new URL(import.meta.url).pathname;
  const { status, err } = await client("wss://127.0.0.1:9/", "--ca", file);
  assertEquals([status, err.length], [2, 1], err.join("\n"));
  assertStringIncludes(err[0] ?? "", `--ca: ${file}: holds no certificate in PEM`);
});
