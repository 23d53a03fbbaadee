/**
 * The acceptance scenario: servers, balancer and three clients as processes of their own, each client sending 1000
 * random numbers, once over raw TCP and once over WebSocket. Where the test may make a network namespace, with the literal ports and names of the scenario.
 */

import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { networkNamespace, type Place, start } from "./processes.ts";

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

/** How a client reaches the balancer at an address: every variant runs over each. */
const TRANSPORTS: readonly ((address: string) => string)[] = [
  (address) => address,
  (address) => `ws://${address}/`,
];

/** The table as it is given: the one that Switchyard comes with. */
const TABLE = new URL("../../routes.yaml", import.meta.url).pathname;

const HOSTS = "127.0.0.1 localhost n1.example.com n2.example.com example.com\n";

for (const [index, { what, servers, routeOf1, succeeds }] of VARIANTS.entries()) {
  Deno.test(`${what}: literal ports and host names, in a network namespace`, async (test) => {
    await using place = await networkNamespace(`switchyard-${Deno.pid}-${index}`, HOSTS);
    if (!place) {
      await test.step({ name: "ip netns is not permitted here", ignore: true, fn: () => {} });
      return;
    }
    const names = {
      first: "n1.example.com",
      second: "n2.example.com",
      balancer: "example.com",
      any: "0.0.0.0",
    };
    const table = routeOf1 === 7777 ? TABLE : undefined;
    await scenario({ place, servers, table, routeOf1, second: 9999, port: 8888, succeeds, names });
  });

  Deno.test(`${what}: on free ports`, async () => {
    const free = new Map([...new Set([...servers, routeOf1])].map((port) => [port, freePort()]));
    const at = (port: number) => free.get(port) ?? 0;
    const names = { first: "127.0.0.1", second: "localhost", balancer: "127.0.0.1", any: "127.0.0.1" };
    await scenario({
      place: { command: [] },
      servers: servers.map(at),
      routeOf1: at(routeOf1),
      second: at(9999),
      port: freePort(),
      succeeds,
      names,
    });
  });
}

interface Scenario {
  readonly place: Place;
  readonly servers: readonly number[];
  /** The file with the table; without it one is written. */
  readonly table?: string | undefined;
  readonly routeOf1: number;
  readonly second: number;
  readonly port: number;
  readonly succeeds: boolean;
  readonly names: { first: string; second: string; balancer: string; any: string };
}

/** A routes.yaml that goes by `scenario`. */
async function writeTable({ routeOf1, second, port, names }: Scenario): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(
    file,
    `listeners: [{ address: "${names.any}:${port}" }]
routes:
  - { id: 1, host: ${names.first}, port: ${routeOf1} }
  - { id: 2, host: ${names.second}, port: ${second} }
  - { id: 3, host: ${names.second}, port: ${second} }
`,
  );
  return file;
}

async function scenario(wanted: Scenario): Promise<void> {
  const { place, servers, port, succeeds, names } = wanted;
  const file = wanted.table ?? await writeTable(wanted);
  const listen = servers.flatMap((server) => ["--listen", `${names.any}:${server}`]);
  await using upstream = start(place, ["upstream", ...listen]);
  await upstream.stdout.until(`listening on ${names.any}:${servers.at(-1)}`);
  await using balancer = start(place, ["serve", "-c", file]);
  await balancer.stderr.until("listening on");
  const clients = TRANSPORTS.flatMap((over) =>
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
  for (const transport of ["tcp", "websocket"]) {
    await balancer.stderr.until(`transport=${transport} id=3`);
  }
  assertEquals(await balancer.end(), 0);
  assertEquals(await upstream.end(), 0);
  if (!wanted.table) await Deno.remove(file);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
