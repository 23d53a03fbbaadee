/**
 * Round trips of one client while another address floods the balancer with unknown IDs:
 *
 *   deno run -A scripts/flood.ts [CONNECTIONS [SECONDS]]
 *
 * CONNECTIONS (1500) clients at 127.0.0.2 connect, send an unknown ID, read the ERROR frame and connect again, for
 * SECONDS (8). Upstream, balancer and flood are processes of their own, so that only the balancer is measured.
 */

// deno-lint-ignore-file no-console
import { connect } from "node:net";
import { encodeId } from "../lib/frame/tlv.ts";

const PORTS = { upstream: 17711, balancer: 18811 };
const LOOPBACK = "127.0.0.1";

/** Connects again and again, from 127.0.0.2. */
async function flood(connections: number, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  let served = 0;
  await Promise.all(Array.from({ length: connections }, async () => {
    for (; performance.now() < end; served++) await refusedOnce();
  }));
  console.log(`${Math.round(served / seconds)} connections with an unknown ID a second`);
}

function refusedOnce(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port: PORTS.balancer, host: LOOPBACK, localAddress: "127.0.0.2" });
    socket.on("connect", () => socket.write(encodeId("unknown")));
    socket.on("data", () => {});
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

/** Round trips of one byte, in milliseconds each, with 2 ms between them. */
async function roundTrips(seconds: number): Promise<number[]> {
  using client = await Deno.connect({ hostname: LOOPBACK, port: PORTS.balancer });
  client.setNoDelay(true);
  const id = encodeId("1");
  const buffer = new Uint8Array(64);
  await client.write(id);
  for (let got = 0; got < id.length;) got += await client.read(buffer) ?? id.length;
  const times: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const begun = performance.now();
    await client.write(buffer.subarray(0, 1));
    await client.read(buffer);
    times.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return times.sort((one, other) => one - other);
}

function start(script: string, ...args: string[]): Deno.ChildProcess {
  const file = new URL(script, import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--no-prompt", file, ...args] }).spawn();
}

async function measure(connections: string, seconds: string): Promise<void> {
  const main = "../main.ts";
  const servers = [
    start(main, "upstream", "--mode", "echo", "--listen", `${LOOPBACK}:${PORTS.upstream}`),
    start(
      main,
      ...["serve", "--listen", `${LOOPBACK}:${PORTS.balancer}`, "--route", `1=${LOOPBACK}:${PORTS.upstream}`],
      ...["--log-level", "warning"],
    ),
  ];
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const flooding = start("flood.ts", "flood", connections, seconds);
  const times = await roundTrips(Number(seconds));
  await flooding.status;
  for (const server of servers) server.kill();
  const at = (part: number) => times[Math.floor(part * (times.length - 1))]?.toFixed(1);
  console.log(`round trips, in ms: median ${at(0.5)}, 99 % ${at(0.99)}, worst ${at(1)} of ${times.length}`);
}

if (Deno.args[0] === "flood") await flood(Number(Deno.args[1]), Number(Deno.args[2]));
else await measure(Deno.args[0] ?? "1500", Deno.args[1] ?? "8");
