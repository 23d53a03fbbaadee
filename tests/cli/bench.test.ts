import { encodeError } from "../../lib/frame/tlv.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { receive, receiveAll, send } from "../bytes.ts";
import { configTo, startBalancer, startEchoing, startPath } from "../fixture.ts";
import { startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";
import { benchBriefly as briefly } from "./brief_bench.ts";
import { run } from "./command.ts";

/** Runs bench with ID 1 against `port`. */
function bench(port: number, duration: string, ...args: string[]) {
  return benchAt(`127.0.0.1:${port}`, duration, ...args);
}

function benchAt(target: string, duration: string, ...args: string[]) {
  return run("bench", "--connect", target, "--id", "1", "--duration", duration, ...args);
}

/** Targets of bench for a port: each mode is measured over both transports. */
const TARGETS: readonly ((port: number) => string)[] = [
  (port) => `127.0.0.1:${port}`,
  (port) => `ws://127.0.0.1:${port}/path?query`,
];

const MEASURED = [true, false].flatMap((forward_id) =>
  ["rtt", "connect"].flatMap((mode) => TARGETS.map((target) => ({ forward_id, mode, target })))
);

/** Asserts the output of a measurement of an echo. */
async function measures({ forward_id, mode, target }: typeof MEASURED[number]): Promise<void> {
  await using balancer = startEchoing({ forward_id });
  const args = ["--mode", mode, "--connections", "3", "--message-bytes", "20000"];
  const { status, out, err } = await briefly("--connect", target(balancer.port), ...args);
  assertEquals([status, err], [0, []]);
  assertStringIncludes(out[0] ?? "", `${mode} over ${target(balancer.port)}: 3 connections, 20000 bytes`);
  assertMatch(out[1] ?? "", /^[\d.]+ .*\/s, [\d.]+ MB\/s each way; [1-9]\d* /);
  assertMatch(out[2] ?? "", /^latency in ms: p50 [\d.]+, p90 [\d.]+, p99 [\d.]+, max [\d.]+$/);
}

Deno.test("bench measures an echo in each mode, over each transport, with and without a forwarded ID", async () => {
  await Promise.all(MEASURED.map(measures));
});

/** Asserts that the measurement of a stream counts no more than a sink has received. */
async function streams(target: (port: number) => string): Promise<void> {
  let got = 0;
  await using balancer = startPath(async (conn) => {
    const buffer = new Uint8Array(1 << 20);
    for (let count; (count = await conn.read(buffer)) !== null;) got += count;
  });
  const args = ["--mode", "stream", "--connections", "2"];
  const { status, out } = await briefly("--connect", target(balancer.port), ...args);
  assertEquals([status, out.length], [0, 2]);
  const [, messages] = /; (\d+) messages in all/.exec(out[1] ?? "") ?? [];
  const sent = Number(messages) * (64 << 10);
  assert(sent > 0);
  // at the end the kernel and the balancer still buffer a part of the stream
  await until(() => got >= sent, `the sink has got the ${sent} bytes that were counted`);
}

Deno.test("bench --mode stream counts the bytes that a sink received, over each transport", async () => {
  await Promise.all(TARGETS.map(streams));
});

Deno.test("bench that is refused ends at once with status 1 and the code", async () => {
  await using balancer = startBalancer(configTo(9, { routes: [] }));
  for (const mode of ["rtt", "connect", "stream"]) {
    for (const target of TARGETS) {
      const args = ["--mode", mode, "--connections", "2"];
      const { status, out, err } = await benchAt(target(balancer.port), "1h", ...args);
      assertEquals([status, out], [1, []]);
      assertEquals(err, ['bench: refused with UNKNOWN_ID (4): no route for ID "1" (2 times)']);
    }
  }
});

Deno.test("bench ends at once with status 1 if nothing listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { status, err } = await bench(port, "1h", "--connections", "1");
  assertEquals([status, err.length], [1, 1]);
  assertMatch(err[0] ?? "", new RegExp(`^bench: cannot connect to 127.0.0.1:${port}: .*refused`));
});

Deno.test("bench ends in time with status 1 if a WebSocket handshake is not answered", async () => {
  await using silent = startUpstream((conn) => receiveAll(conn).then(() => {}));
  const { status, err } = await benchAt(`ws://127.0.0.1:${silent.port}/`, "500ms");
  assertEquals([status, err.length], [1, 1]);
  assertStringIncludes(err[0] ?? "", "no round trips completed in time");
});

Deno.test("bench ends in time with status 1 if nothing comes back", async () => {
  await using upstream = startUpstream((conn) => receiveAll(conn).then(() => {}));
  await using balancer = startBalancer(configTo(upstream.port));
  const { status, err } = await bench(balancer.port, "500ms");
  assertEquals([status, err.length], [1, 1]);
  assertStringIncludes(err[0] ?? "", "is the upstream an echo?");
});

Deno.test("bench counts failures, tries again and still measures", async () => {
  let turn = 0;
  await using flaky = startUpstream(async (conn) => {
    if (turn++ % 2 === 0) await send(conn, await receive(conn, 5 + 1 + 5 + 64));
    else await send(conn, encodeError(6, "too many"));
  });
  const { status, out, err } = await bench(flaky.port, "500ms", "--mode", "connect", "--connections", "1");
  assertEquals([status, out.length], [0, 3]);
  assertMatch(err[0] ?? "", /^bench: refused with LIMIT_EXCEEDED \(6\): too many/);
});

Deno.test("bench names every wrong flag at once, with status 2", async () => {
  const flags = ["--mode", "rt", "--connections", "0", "--duration", "5", "--message-bytes", "x"];
  const { status, err } = await run("bench", ...flags);
  assertEquals([status, err.length], [2, 5], err.join("\n"));
});
