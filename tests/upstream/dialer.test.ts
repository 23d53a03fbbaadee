import { Deadlines } from "../../lib/util/deadlines.ts";
import { type Connect, Dialer } from "../../lib/upstream/dialer.ts";
import { DialError } from "../../lib/upstream/dial_error.ts";
import { type Lookup, Resolver } from "../../lib/upstream/resolver.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { pause } from "../wait.ts";
import { startUpstream } from "../upstreams.ts";

/** A dialer with the names of `lookup`, and records of its connects and their signals. */
function dialerWith({ lookup, connect, dnsTtl = 60_000, duration = 2000 }: {
  lookup?: Lookup;
  connect?: Connect;
  dnsTtl?: number;
  duration?: number;
}) {
  const deadlines = new Deadlines(duration);
  const dialed: string[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  const dialer = new Dialer({
    connect: (options) => {
      dialed.push(options.hostname);
      signals.push(options.signal);
      return (connect ?? Deno.connect)(options);
    },
    resolver: new Resolver(lookup ?? (() => Promise.reject(new Error("getaddrinfo: looked up")))),
    dnsTtl,
  });
  return {
    dialed,
    signals,
    dial: (host: string, port: number) => dialer.dial({ host, port }, deadlines),
    [Symbol.dispose]: () => deadlines.close(),
  };
}

/** Never connects, and ends only when cancelled. */
const unanswered: Connect = ({ signal }) => {
  const { promise, reject } = Promise.withResolvers<Deno.TcpConn>();
  signal?.addEventListener("abort", () => reject(new Deno.errors.Interrupted("operation canceled")));
  return promise;
};

Deno.test("an address is dialed without a look-up", async () => {
  await using upstream = startUpstream(async () => {});
  using test = dialerWith({});
  (await test.dial("127.0.0.1", upstream.port)).close();
  assertEquals(test.dialed, ["127.0.0.1"]);
});

for (const [dnsTtl, expected] of [[60_000, 1], [0, 3]] as const) {
  Deno.test(`with dns_ttl: ${dnsTtl} three dials of a name are ${expected} look-ups`, async () => {
    await using upstream = startUpstream(async () => {});
    let asked = 0;
    const lookup = () => Promise.resolve([`127.0.0.${++asked}`]);
    using test = dialerWith({
      lookup,
      dnsTtl,
      connect: (o) => Deno.connect({ ...o, hostname: "127.0.0.1" }),
    });
    for (let round = 0; round < 3; round++) (await test.dial("n1.example.com", upstream.port)).close();
    assertEquals([asked, new Set(test.dialed).size], [expected, expected]);
  });
}

Deno.test("a look-up that hangs ends its dial at the deadline, and others continue", async () => {
  await using upstream = startUpstream(async () => {});
  const release = Promise.withResolvers<string[]>();
  const lookup = (host: string) => host === "hung" ? release.promise : Promise.resolve(["127.0.0.1"]);
  using test = dialerWith({ lookup, duration: 200 });
  const hung = assertRejects(() => test.dial("hung", upstream.port), DialError, "within 200ms");
  (await test.dial("fine", upstream.port)).close();
  await hung;
  release.resolve(["127.0.0.1"]);
  await pause(10);
  assertEquals(test.dialed.length, 1, "the name that was found too late is not dialed");
});

Deno.test("the next address is tried when one fails, and the first failure is reported when all do", async () => {
  await using upstream = startUpstream(async () => {});
  const connect: Connect = (options) =>
    options.hostname === "10.0.0.1"
      ? Promise.reject(new Deno.errors.ConnectionRefused("the first"))
      : Deno.connect(options);
  using test = dialerWith({ lookup: () => Promise.resolve(["10.0.0.1", "127.0.0.1"]), connect });
  (await test.dial("both", upstream.port)).close();
  assertEquals(test.dialed, ["10.0.0.1", "127.0.0.1"]);
  const refuse: Connect = ({ hostname }) => Promise.reject(new Deno.errors.ConnectionRefused(hostname));
  using other = dialerWith({ lookup: () => Promise.resolve(["10.0.0.1", "10.0.0.2"]), connect: refuse });
  const { reason } = await assertRejects(() => other.dial("none", 1), DialError, "10.0.0.1");
  assertEquals(reason, "refused");
});

Deno.test("an address that does not answer leaves time for the next, and is cancelled when that wins", async () => {
  await using upstream = startUpstream(async () => {});
  const connect: Connect = (options) =>
    options.hostname === "10.0.0.1" ? unanswered(options) : Deno.connect(options);
  using test = dialerWith({ lookup: () => Promise.resolve(["10.0.0.1", "127.0.0.1"]), connect });
  (await test.dial("both", upstream.port)).close();
  assertEquals(test.dialed, ["10.0.0.1", "127.0.0.1"]);
  assert(test.signals[0]?.aborted, "the unanswered connect was cancelled");
});

for (const addresses of [[], ["10.0.0.1"], ["10.0.0.1", "10.0.0.2", "10.0.0.3"]]) {
  Deno.test(`a dial is cancelled at its deadline, and no further address tried (of ${addresses.length})`, async () => {
    using test = dialerWith({ connect: unanswered, lookup: () => Promise.resolve(addresses), duration: 400 });
    const host = addresses.length === 0 ? "10.0.0.1" : "n1.example.com";
    const { reason } = await assertRejects(() => test.dial(host, 1), DialError, "no answer within 400ms");
    assertEquals(reason, "timeout");
    await pause(400);
    const tried = addresses.slice(0, 2).map(() => true);
    assertEquals(test.signals.map((signal) => signal?.aborted), tried.length === 0 ? [true] : tried);
  });
}

Deno.test("a connection that is established after its deadline is closed", async () => {
  await using upstream = startUpstream(async () => {});
  const slow: Connect = async (options) => {
    const conn = await Deno.connect(options);
    await pause(100);
    return conn;
  };
  using test = dialerWith({ connect: slow, duration: 20 });
  await assertRejects(() => test.dial("127.0.0.1", upstream.port), DialError);
  // the leak check of the test runner fails if the connection stays open
  await pause(150);
});
