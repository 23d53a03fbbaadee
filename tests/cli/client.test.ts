import { connectTo } from "../../lib/acceptance/connect.ts";
import { AcceptanceServer } from "../../lib/acceptance/server.ts";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "../assert.ts";
import { configTo, receiveAll, send, startBalancer, startUpstream, until } from "../harness.ts";
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
        /^client 1: sent 1000 numbers, sum \d+, crc32 0x.{8}; received the same: ok$/,
      );
    });
  }
}

const WRONG: Readonly<Record<string, string>> = {
  "127.0.0.1": '"127.0.0.1" is not an address',
  "wss://127.0.0.1:8888/": "wss:// needs TLS, which this version does not speak",
  "tcp://127.0.0.1:8888": '"tcp://127.0.0.1:8888" is not HOST:PORT or ws://HOST:PORT/PATH',
  "http://127.0.0.1:8888/": "is not HOST:PORT or ws://HOST:PORT/PATH",
  "ws://127.0.0.1:65536/": "is not HOST:PORT or ws://HOST:PORT/PATH",
  "ws://127.0.0.1:0/": "is not HOST:PORT or ws://HOST:PORT/PATH",
  "ws://": "is not HOST:PORT or ws://HOST:PORT/PATH",
  "ws://user@127.0.0.1:8888/": "is not HOST:PORT or ws://HOST:PORT/PATH",
  "ws://127.0.0.1:8888/#part": "is not HOST:PORT or ws://HOST:PORT/PATH",
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
  Deno.test(`client at ${before}HOST:PORT says with which code it was turned away`, async () => {
    await using balancer = startBalancer(configTo(9, { routes: [] }));
    const { status, out, err } = await client(`${before}127.0.0.1:${balancer.port}`);
    assertEquals([status, out, err.length], [1, [], 1]);
    assertStringIncludes(err[0] ?? "", 'refused with UNKNOWN_ID (4): no route for ID "1"');
  });

  Deno.test(`client at ${before}HOST:PORT says where nothing listens`, async () => {
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

Deno.test("client over WebSocket says how the handshake was refused", async () => {
  await using server = startUpstream(async (conn) => {
    await send(conn, new TextEncoder().encode("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    await conn.closeWrite();
    await receiveAll(conn);
  });
  const { status, err } = await client(`ws://127.0.0.1:${server.port}/elsewhere`);
  assertEquals([status, err.length], [1, 1]);
  assertStringIncludes(err[0] ?? "", `cannot connect to ws://127.0.0.1:${server.port}/elsewhere: `);
  assertStringIncludes(err[0] ?? "", "404 Not Found");
});

Deno.test("a WebSocket handshake that is not answered ends in time and leaves no socket", async () => {
  let ended = 0;
  await using silent = startUpstream(async (conn) => {
    await receiveAll(conn);
    ended += 1;
  });
  const target = { host: "127.0.0.1", port: silent.port, path: "/" };
  await assertRejects(
    () => connectTo(target, { handshakeMs: 30 }),
    Error,
    `cannot connect to ws://127.0.0.1:${silent.port}/: no answer to the WebSocket handshake within 30 ms`,
  );
  await until(() => ended === 1, "the connection has ended");
});
