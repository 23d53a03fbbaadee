/**
 * The acceptance scenario: servers, balancer and three clients as processes of their own, each client sending 1000
 * random numbers, once over raw TCP and once over WebSocket. With the literal ports and names of the
 * scenario if a network namespace can be created, otherwise on ports that the system chooses.
 */

import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { SOAK } from "../soak.ts";
import { until } from "../wait.ts";
import { networkNamespace, type Output, type Place, start } from "./processes.ts";

interface Variant {
  readonly what: string;
  /** Where the servers listen. */
  readonly servers: readonly number[];
  /** Where route 1 goes. */
  readonly routeOf1: number;
  /** Whether Client1 succeeds. */
  readonly succeeds: boolean;
}

const VARIANTS: readonly Variant[] = [
  {
    what: "the table as given, servers on 7777 and 9999",
    servers: [7777, 9999],
    routeOf1: 7777,
    succeeds: true,
  },
  {
    what: "the scenario as given, servers on 5555 and 9999",
    servers: [5555, 9999],
    routeOf1: 7777,
    succeeds: false,
  },
  { what: "route 1 changed to 5555", servers: [5555, 9999], routeOf1: 5555, succeeds: true },
];

/** How a client reaches the balancer at an address. */
const TRANSPORTS: readonly ((address: string) => string)[] = [
  (address) => address,
  (address) => `ws://${address}/`,
];

/** The routes.yaml of the repository. */
const TABLE = new URL("../../routes.yaml", import.meta.url).pathname;

const HOSTS = "127.0.0.1 localhost n1.example.com n2.example.com example.com\n";

for (const [index, { what, servers, routeOf1, succeeds }] of VARIANTS.entries()) {
  Deno.test(what, async () => {
    // the client over WebSocket does not depend on the table: outside of a soak run one variant is enough
    const transports = SOAK || index === 0 ? TRANSPORTS : TRANSPORTS.slice(0, 1);
    const wanted = { servers, routeOf1, succeeds, transports };
    await using place = await networkNamespace(`switchyard-${Deno.pid}-${index}`, HOSTS);
    if (!place) {
      return await scenario({ ...wanted, place: { command: [] }, names: LOOPBACK, freePorts: true });
    }
    const table = routeOf1 === 7777 ? TABLE : undefined;
    await scenario({ ...wanted, place, names: LITERAL, table });
  });
}

const LITERAL = {
  first: "n1.example.com",
  second: "n2.example.com",
  balancer: "example.com",
  any: "0.0.0.0",
};

const LOOPBACK = { first: "127.0.0.1", second: "localhost", balancer: "127.0.0.1", any: "127.0.0.1" };

/** A port on which nothing listens: that of an obsolete service. */
const CLOSED_PORT = 9;

interface Scenario {
  readonly place: Place;
  readonly servers: readonly number[];
  /** The file with the table; without it one is written. */
  readonly table?: string | undefined;
  readonly routeOf1: number;
  readonly succeeds: boolean;
  readonly transports: typeof TRANSPORTS;
  readonly names: { first: string; second: string; balancer: string; any: string };
  /** Whether the system chooses the ports. @default false */
  readonly freePorts?: boolean;
}

/** A routes.yaml for `scenario`, with the ports of its servers. */
async function writeTable(
  { routeOf1, servers, names, freePorts }: Scenario,
  ports: number[],
): Promise<string> {
  const at = (port: number) => freePorts ? ports[servers.indexOf(port)] ?? CLOSED_PORT : port;
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(
    file,
    `listeners: [{ address: "${names.any}:${freePorts ? 0 : 8888}" }]
routes:
  - { id: 1, host: ${names.first}, port: ${at(routeOf1)} }
  - { id: 2, host: ${names.second}, port: ${at(9999)} }
  - { id: 3, host: ${names.second}, port: ${at(9999)} }
`,
  );
  return file;
}

async function scenario(wanted: Scenario): Promise<void> {
  const { place, servers, succeeds, transports, names, freePorts } = wanted;
  const listen = servers.flatMap((server) => ["--listen", `${names.any}:${freePorts ? 0 : server}`]);
  await using upstream = start(place, ["upstream", ...listen]);
  const ports = await listeningPorts(upstream.stdout, servers.length);
  const file = wanted.table ?? await writeTable(wanted, ports);
  await using balancer = start(place, ["serve", "-c", file]);
  const [port] = await listeningPorts(balancer.stderr, 1);
  const clients = transports.flatMap((over) =>
    ["1", "2", "3"].map((id) => {
      const connect = over(`${names.balancer}:${port}`);
      return { id, client: start(place, ["client", "--id", id, "--connect", connect, "--count", "1000"]) };
    })
  );
  for (const { id, client } of clients) {
    const expected = id !== "1" || succeeds;
    assertEquals(await client.status(), expected ? 0 : 1, client.stderr.text);
    if (!expected) {
      assertStringIncludes(client.stderr.text, "UPSTREAM_UNAVAILABLE (5)");
      assertEquals(client.stderr.text.trim().split("\n").length, 1);
      continue;
    }
    const [, sum, crc32] = /1000 numbers, sum (\d+), crc32 (\d+)/.exec(client.stdout.text) ?? [];
    assert(sum !== undefined && crc32 !== undefined, client.stdout.text);
    await upstream.stdout.until(`{"id":"${id}","count":1000,"sum":${sum},"crc32":${Number(crc32)}}`);
  }
  for (const transport of ["tcp", "websocket"].slice(0, transports.length)) {
    await balancer.stderr.until(`transport=${transport} id=3`);
  }
  assertEquals(await balancer.end(), 0);
  assertEquals(await upstream.end(), 0);
  if (!wanted.table) await Deno.remove(file);
}

/** The ports in the output of a process that listens on `count` of them. */
async function listeningPorts(output: Output, count: number): Promise<number[]> {
  const ports = () =>
    [...output.text.matchAll(/listening on [^\s,]*:(\d+)/g)].map(([, port]) => Number(port));
  await until(
    () => ports().length >= count && output.text.endsWith("\n"),
    `it listens on ${count} ports`,
    20_000,
  );
  return ports();
}
