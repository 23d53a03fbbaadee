import { isAddress, MOST_UNDER_WAY, MOST_WAITING, Names } from "../../lib/upstream/resolver.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

/** A resolver that answers when the test says so. */
class Resolver {
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

/** Lets everything that is ready go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("those who ask for a name at the same time share one look-up", async () => {
  const resolver = new Resolver();
  const names = new Names(resolver.lookup);
  const answers = [names.ask("a"), names.ask("a"), names.ask("b")];
  await settle();
  assertEquals(resolver.asked, ["a", "b"]);
  resolver.answer("a", "10.0.0.1", "::1");
  resolver.answer("b", "10.0.0.2");
  assertEquals(await Promise.all(answers), [["10.0.0.1", "::1"], ["10.0.0.1", "::1"], ["10.0.0.2"]]);
});

Deno.test("an answer is known until it is too old", async () => {
  const names = new Names(() => Promise.resolve(["10.0.0.1"]));
  assertEquals(names.known("a", 1000), undefined);
  await names.ask("a");
  assertEquals(names.known("a", 60_000), ["10.0.0.1"]);
  assertEquals(names.known("a", 0), undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(names.known("a", 10), undefined);
});

Deno.test("a failure is not kept: the next who asks is looked up again", async () => {
  const resolver = new Resolver();
  const names = new Names(resolver.lookup);
  for (const round of [1, 2]) {
    const asked = names.ask("a");
    await settle();
    resolver.fail("a");
    await assertRejects(() => asked, Error, "ENOTFOUND");
    assertEquals(resolver.asked.length, round);
  }
});

Deno.test("look-ups that hang leave threads to the platform, and give their places up when they end", async () => {
  const resolver = new Resolver();
  const names = new Names(resolver.lookup);
  const hung = Array.from({ length: 40 }, (_, index) => names.ask(`hung-${index}`));
  await settle();
  assertEquals(resolver.asked.length, MOST_UNDER_WAY);
  const [first] = resolver.asked;
  resolver.fail(first ?? "");
  await assertRejects(() => hung[0] ?? Promise.resolve(), Error, "ENOTFOUND");
  await settle();
  assertEquals(resolver.asked.length, MOST_UNDER_WAY + 1);
  for (let index = 1; index < 40; index++) {
    resolver.answer(`hung-${index}`, "10.0.0.1");
    await settle();
  }
  assertEquals((await Promise.all(hung.slice(1))).length, 39);
  assertEquals(resolver.asked, Array.from({ length: 40 }, (_, index) => `hung-${index}`));
});

Deno.test("with too many names waiting the next is refused at once, and can be asked for again", async () => {
  const resolver = new Resolver();
  const names = new Names(resolver.lookup);
  const all = MOST_UNDER_WAY + MOST_WAITING;
  const hung = Array.from({ length: all }, (_, index) => names.ask(`hung-${index}`));
  await assertRejects(() => names.ask("late"), Error, 'cannot look up "late"');
  await assertRejects(() => names.ask("late"), Error, 'cannot look up "late"');
  for (let index = 0; index < all; index++) {
    resolver.answer(`hung-${index}`, "10.0.0.1");
    await hung[index];
  }
  const late = names.ask("late");
  await settle();
  resolver.answer("late", "10.0.0.3");
  assertEquals(await late, ["10.0.0.3"]);
});

Deno.test("the system's resolver knows the hosts file, and says which name it does not find", async () => {
  const names = new Names();
  const found = await names.ask("localhost");
  assert(found.length > 0 && found.every((address) => ["127.0.0.1", "::1"].includes(address)), `${found}`);
  await assertRejects(() => names.ask("no-such-host.invalid"), Error, "no-such-host.invalid");
});

Deno.test("addresses are told from names", () => {
  for (const address of ["127.0.0.1", "::1", "fe80::1%eth0"]) assert(isAddress(address), address);
  for (const name of ["localhost", "n1", "10.example.com", "1a"]) assert(!isAddress(name), name);
});
