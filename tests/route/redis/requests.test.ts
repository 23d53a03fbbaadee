import { assert, assertEquals, assertInstanceOf } from "../../assert.ts";
import type { Link } from "../../../lib/route/redis/link.ts";
import { Requests } from "../../../lib/route/redis/requests.ts";
import { until } from "../../wait.ts";

/** Requests that a test answers. */
function start({ timeout = 10_000 } = {}) {
  const sent: { ids: readonly string[]; answer: () => void; lose: () => void }[] = [];
  let epoch = 1;
  const requests = new Requests<string>({
    timeout,
    epoch: () => epoch,
    answer: (id, value, at) => `${id}=${value}@${at}`,
    read: (_, ids) => {
      const { promise, resolve, reject } = Promise.withResolvers<string[]>();
      const answer = () => resolve(ids.map((id) => id.toUpperCase()));
      sent.push({ ids, answer, lose: () => reject(new Error("lost")) });
      return promise;
    },
  });
  const link = {} as Link;
  return {
    requests,
    sent,
    link,
    nextEpoch: () => void (epoch += 1),
    /** Resolves to request `number` once it was sent. */
    async request(number: number) {
      await until(() => sent.length >= number, `request ${number} is sent`);
      const request = sent[number - 1];
      assert(request);
      return request;
    },
    [Symbol.dispose]: () => requests[Symbol.dispose](),
  };
}

const outcome = (answer: Promise<string>) => answer.catch((error) => String(error.message));

Deno.test("IDs that arrive during a request are batched into the next", async () => {
  using redis = start();
  redis.requests.use(redis.link);
  const first = redis.requests.get("a");
  const others = ["b", "c", "b"].map((id) => redis.requests.get(id));
  (await redis.request(1)).answer();
  assertEquals(await first, "a=A@1");
  (await redis.request(2)).answer();
  assertEquals(await Promise.all(others), ["b=B@1", "c=C@1", "b=B@1"]);
  assertEquals(redis.sent.map(({ ids }) => ids), [["a"], ["b", "c"]]);
  assert(redis.requests.idle);
  assertEquals(redis.requests.answered.count, 2);
});

Deno.test("an ID that was sent before a change is requested again", async () => {
  using redis = start();
  redis.requests.use(redis.link);
  const before = redis.requests.get("a");
  redis.nextEpoch();
  const after = redis.requests.get("a");
  (await redis.request(1)).answer();
  (await redis.request(2)).answer();
  assertEquals([await before, await after], ["a=A@1", "a=A@2"]);
});

Deno.test("unanswered requests of a lost connection are sent over the next", async () => {
  using redis = start();
  redis.requests.use(redis.link);
  const answer = redis.requests.get("a");
  redis.requests.use(undefined);
  (await redis.request(1)).lose();
  redis.requests.use(redis.link);
  (await redis.request(2)).answer();
  assertEquals(await answer, "a=A@1");
});

Deno.test("waiting look-ups fail when reconnecting fails, and when their time is over", async () => {
  using redis = start({ timeout: 30 });
  const waiting = outcome(redis.requests.get("a"));
  redis.requests.fail(new Error("refused"));
  assertEquals(await waiting, "refused");
  redis.requests.use(redis.link);
  const late = [outcome(redis.requests.get("b")), outcome(redis.requests.get("c"))];
  assertEquals(await Promise.all(late), ["no answer within 30ms", "no answer within 30ms"]);
  assert(redis.requests.idle);
});

Deno.test("too many IDs are refused at once", async () => {
  using redis = start();
  const answers = Array.from({ length: 10_001 }, (_, index) => outcome(redis.requests.get(`${index}`)));
  assertEquals(await answers.at(-1), "10000 other IDs are being looked up");
  redis.requests[Symbol.dispose]();
  assertEquals(new Set(await Promise.all(answers)).size, 2);
});

Deno.test("an unusable answer fails only its own ID", async () => {
  using requests = new Requests<string>({
    timeout: 1000,
    epoch: () => 1,
    read: (_, ids) => Promise.resolve(ids.map(() => null)),
    answer: (id) => {
      if (id === "bad") throw new TypeError("bad");
      return id;
    },
  });
  const answers = [requests.get("good"), requests.get("bad").catch((error) => error)];
  requests.use({} as Link);
  assertEquals(await answers[0], "good");
  assertInstanceOf(await answers[1], TypeError);
});
