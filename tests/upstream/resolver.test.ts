import { DialError } from "../../lib/upstream/dial_error.ts";
import { isAddress, MOST_CONCURRENT, MOST_WAITING, Resolver } from "../../lib/upstream/resolver.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { captureLog } from "../serving.ts";

/** Answers look-ups when the test does. */
class Answers {
  readonly asked: string[] = [];
  readonly #pending = new Map<string, PromiseWithResolvers<readonly string[]>>();

  lookup = (host: string): Promise<readonly string[]> => {
    this.asked.push(host);
    const pending = Promise.withResolvers<readonly string[]>();
    this.#pending.set(host, pending);
    return pending.promise;
  };

  answer(host: string, ...addresses: string[]): void {
    this.#pending.get(host)?.resolve(addresses);
  }

  fail(host: string): void {
    this.#pending.get(host)?.reject(new Error(`getaddrinfo ENOTFOUND ${host}`));
  }
}

/** Runs everything that is ready. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("concurrent look-ups of a name are one look-up look-up", async () => {
  const answers = new Answers();
  const resolver = new Resolver(answers.lookup);
  const lookups = [resolver.lookup("a"), resolver.lookup("a"), resolver.lookup("b")];
  await settle();
  assertEquals(answers.asked, ["a", "b"]);
  answers.answer("a", "10.0.0.1", "::1");
  answers.answer("b", "10.0.0.2");
  assertEquals(await Promise.all(lookups), [["10.0.0.1", "::1"], ["10.0.0.1", "::1"], ["10.0.0.2"]]);
});

Deno.test("an answer is cached until it expires", async () => {
  let now = 0;
  const resolver = new Resolver(() => Promise.resolve(["10.0.0.1"]), () => now);
  assertEquals(resolver.cached("a", 1000), undefined);
  await resolver.lookup("a");
  assertEquals(resolver.cached("a", 60_000), ["10.0.0.1"]);
  assertEquals(resolver.cached("a", 0), undefined);
  now = 20;
  assertEquals(resolver.cached("a", 10), undefined);
});

Deno.test("a failure is not cached: the next connection looks the name up again", async () => {
  const answers = new Answers();
  const resolver = new Resolver(answers.lookup);
  for (const round of [1, 2]) {
    const asked = resolver.lookup("a");
    await settle();
    answers.fail("a");
    const { reason } = await assertRejects(() => asked, DialError, "ENOTFOUND");
    assertEquals(reason, "unresolved");
    assertEquals(answers.asked.length, round);
  }
});

Deno.test("hanging look-ups leave threads for the platform, and free their places when they end", async () => {
  const answers = new Answers();
  const resolver = new Resolver(answers.lookup);
  const hung = Array.from({ length: 40 }, (_, index) => resolver.lookup(`hung-${index}`));
  await settle();
  assertEquals(answers.asked.length, MOST_CONCURRENT);
  const [first] = answers.asked;
  answers.fail(first ?? "");
  await assertRejects(() => hung[0] ?? Promise.resolve(), Error, "ENOTFOUND");
  await settle();
  assertEquals(answers.asked.length, MOST_CONCURRENT + 1);
  for (let index = 1; index < 40; index++) {
    answers.answer(`hung-${index}`, "10.0.0.1");
    await settle();
  }
  assertEquals((await Promise.all(hung.slice(1))).length, 39);
  assertEquals(answers.asked, Array.from({ length: 40 }, (_, index) => `hung-${index}`));
});

Deno.test("with too many waiting names the next is refused at once, and can be looked up again later", async () => {
  const answers = new Answers();
  const resolver = new Resolver(answers.lookup);
  const all = MOST_CONCURRENT + MOST_WAITING;
  const hung = Array.from({ length: all }, (_, index) => resolver.lookup(`hung-${index}`));
  await assertRejects(() => resolver.lookup("late"), Error, 'cannot look up "late"');
  await assertRejects(() => resolver.lookup("late"), Error, 'cannot look up "late"');
  for (let index = 0; index < all; index++) {
    answers.answer(`hung-${index}`, "10.0.0.1");
    await hung[index];
  }
  const late = resolver.lookup("late");
  await settle();
  answers.answer("late", "10.0.0.3");
  assertEquals(await late, ["10.0.0.3"]);
});

Deno.test("the system's resolver uses the hosts file, and its error names the host", async () => {
  const resolver = new Resolver();
  const found = await resolver.lookup("localhost");
  assert(found.length > 0 && found.every((address) => ["127.0.0.1", "::1"].includes(address)), `${found}`);
  await assertRejects(() => resolver.lookup("no-such-host.invalid"), Error, "no-such-host.invalid");
});

Deno.test("addresses are distinguished from names", () => {
  for (const address of ["127.0.0.1", "::1", "fe80::1%eth0"]) assert(isAddress(address), address);
  for (const name of ["localhost", "n1", "10.example.com", "1a"]) assert(!isAddress(name), name);
});

/** A resolver with an answer for "a" that is `age` milliseconds old. */
async function resolverWith(age: number) {
  const answers = new Answers();
  let now = 0;
  const resolver = new Resolver(answers.lookup, () => now);
  const first = resolver.resolve("a", 1000);
  answers.answer("a", "10.0.0.1");
  assertEquals(await first, ["10.0.0.1"]);
  now = age;
  return { answers, resolver };
}

Deno.test("an answer past its ttl is still used, and refreshed in the background", async () => {
  const { answers, resolver } = await resolverWith(1500);
  assertEquals(await resolver.resolve("a", 1000), ["10.0.0.1"]);
  assertEquals(answers.asked, ["a", "a"]);
  answers.answer("a", "10.0.0.2");
  await settle();
  assertEquals(resolver.cached("a", 1000), ["10.0.0.2"]);
});

Deno.test("after twice the ttl a connection waits for the look-up", async () => {
  const { answers, resolver } = await resolverWith(2000);
  const second = resolver.resolve("a", 1000);
  answers.answer("a", "10.0.0.2");
  assertEquals(await second, ["10.0.0.2"]);
});

for (const ttl of [0, 1000]) {
  Deno.test(`with dns_ttl: ${ttl} the last answer is used if the resolver fails, and one line is logged`, async () => {
    using log = captureLog();
    const { answers, resolver } = await resolverWith(5000);
    for (let round = 0; round < 3; round++) {
      const again = resolver.resolve("a", ttl);
      answers.fail("a");
      assertEquals(await again, ["10.0.0.1"]);
    }
    assertEquals(log.lines('cannot resolve "a", using its last addresses').length, 1);
    const repaired = resolver.resolve("a", ttl);
    answers.answer("a", "10.0.0.2");
    assertEquals(await repaired, ["10.0.0.2"]);
    assertEquals(log.lines('"a" can be resolved again').length, 1);
  });
}

Deno.test("the last answer is used if the resolver hangs", async () => {
  const { answers, resolver } = await resolverWith(5000);
  assertEquals(await resolver.resolve("a", 1000), ["10.0.0.1"]);
  answers.answer("a", "10.0.0.1");
});

Deno.test("the last answer is not used forever", async () => {
  const { answers, resolver } = await resolverWith(3_600_000);
  const again = resolver.resolve("a", 1000);
  answers.fail("a");
  await assertRejects(() => again, DialError, "ENOTFOUND");
});
