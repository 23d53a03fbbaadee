import { connectTo } from "../../lib/acceptance/connect.ts";
import { assertRejects } from "../assert.ts";
import { receiveAll } from "../bytes.ts";
import { startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";

Deno.test("a WebSocket handshake that is not answered fails at its deadline and leaves no socket", async () => {
  let ended = 0;
  await using silent = startUpstream(async (conn) => {
    await receiveAll(conn);
    ended += 1;
  });
  const target = { host: "127.0.0.1", port: silent.port, path: "/" };
  await assertRejects(
    () => connectTo(target, { handshakeMs: 30 }),
    Error,
    `cannot connect to ws://127.0.0.1:${silent.port}/: no answer to the handshake within 30ms`,
  );
  await until(() => ended === 1, "the connection has ended");
});
