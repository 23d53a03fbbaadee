/** `switchyard demo`: the whole scenario in one process, on free ports. */

import { runClient } from "../acceptance/client.ts";
import type { ClientTarget } from "../acceptance/connect.ts";
import { AcceptanceServer } from "../acceptance/server.ts";
import { Balancer } from "../balancer.ts";
import type { Config } from "../config/config.ts";
import { emptyConfig } from "../config/parse.ts";
import { messageOf } from "../errors.ts";
import { addressText } from "../util/text.ts";
import { receiptText } from "./client.ts";
import { painter } from "./colors.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";

const COUNT = 1000;
const COLUMNS = ["client", "transport", "id", "route", "upstream", "sent", "received", "verdict"];
/** The verdict for a client whose receipt agrees. */
const AGREES = "ok";

const ANYWHERE = { host: "127.0.0.1", port: 0 };

export const spec: CommandSpec = {
  name: "demo",
  summary:
    `Runs two upstreams, the balancer and three clients, one over WebSocket, that send ${COUNT} numbers each.`,
  flags: {},
  examples: ["demo"],
};

/** Exit status 0 if every client's numbers arrived. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  readFlags(args, spec);
  const events = { onFailure: (problem: string) => io.err(`upstream: ${problem}`) };
  await using first = new AcceptanceServer(ANYWHERE, "receipt", events);
  await using second = new AcceptanceServer(ANYWHERE, "receipt", events);
  await using balancer = Balancer.start(demoConfig(first.address.port, second.address.port));
  const [at] = balancer.addresses;
  if (!at) throw new Error("the balancer has no listener");
  io.out(
    `balancer on ${addressText(at)}, upstreams on ${addressText(first.address)} and ${
      addressText(second.address)
    }`,
  );
  const raw = { host: ANYWHERE.host, port: at.port };
  const rows = await Promise.all([
    clientRow(1, raw, first),
    clientRow(2, raw, second),
    clientRow(3, { ...raw, path: "/" }, second),
  ]);
  printTable([COLUMNS, ...rows], io);
  const agreed = rows.filter((row) => row.at(-1) === AGREES).length;
  io.out(`${agreed} of ${rows.length} clients: count, sum and CRC-32 are the same at both ends`);
  return agreed === rows.length ? 0 : 1;
}

function demoConfig(first: number, second: number): Config {
  const route = (id: string, port: number) => ({ id, host: "127.0.0.1", port });
  return {
    ...emptyConfig(),
    listeners: [{ address: ANYWHERE }],
    routes: [route("1", first), route("2", second), route("3", second)],
    log: { level: "error", format: "text", access: false, id_privacy: "plain" },
  };
}

async function clientRow(
  client: number,
  connect: ClientTarget,
  upstream: AcceptanceServer,
): Promise<string[]> {
  const id = String(client);
  const transport = connect.path === undefined ? "tcp" : "websocket";
  const start = [`Client${client}`, transport, id, `id ${id}`, addressText(upstream.address)];
  try {
    const { sent, received, agrees } = await runClient({ connect, id, count: COUNT, seed: client });
    const differs = `sent ${receiptText(sent)}, received ${receiptText(received)}`;
    return [...start, String(sent.count), String(received.count), agrees ? AGREES : differs];
  } catch (error) {
    return [...start, "-", "-", messageOf(error)];
  }
}

function printTable(rows: readonly string[][], io: Io): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const paint = painter(io, "out");
  for (const [index, row] of rows.entries()) {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    const verdict = row.at(-1) ?? "";
    // its column is the last one, so it needs no padding
    const painted = index === 0 ? verdict : paint(verdict === AGREES ? "good" : "bad", verdict);
    io.out([...cells.slice(0, -1), painted].join("  "));
  }
}
