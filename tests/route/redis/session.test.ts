import type { Link } from "../../../lib/route/redis/link.ts";
import { Session } from "../../../lib/route/redis/session.ts";
import { assertEquals } from "../../assert.ts";
import { until } from "../../wait.ts";

/** A connection that a test closes. */
function fakeLink() {
  const { promise: lost, resolve } = Promise.withResolvers<Error>();
  return {
    lost,
    at: { host: "h", port: 1 },
    lose: resolve,
    [Symbol.dispose]: () => resolve(new Error("closed")),
  };
}

Deno.test("a session connects again after a failure and after a loss, until it is disposed of", async () => {
  const events: string[] = [];
  const links = [undefined, fakeLink(), fakeLink()];
  let attempts = 0;
  const session = new Session({
    connect: () => {
      const link = links[attempts++];
      return link ? Promise.resolve(link as unknown as Link) : Promise.reject(new Error("refused"));
    },
    onConnected: () => void events.push("connected"),
    onLost: ({ message }) => void events.push(`lost: ${message}`),
    onFailed: ({ message }) => void events.push(`failed: ${message}`),
    random: () => 0,
  });
  session.start();
  session.start();
  await until(() => events.length === 2, "the second attempt succeeds");
  links[1]?.lose(new Error("gone"));
  await until(() => events.length === 4, "it is connected again");
  await session[Symbol.asyncDispose]();
  assertEquals(events, ["failed: refused", "connected", "lost: gone", "connected"]);
  assertEquals(attempts, 3);
});

Deno.test("a session that was never started ends at once", async () => {
  const never = () => Promise.reject(new Error("not called"));
  await using _session = new Session({ connect: never, onConnected() {}, onLost() {}, onFailed() {} });
});
