import { createHmac } from "node:crypto";
import { MOST_QUEUED, type PostEvent, type WebhookConfig } from "../../lib/observe/webhook_queue.ts";
import { Webhooks } from "../../lib/observe/webhooks.ts";
import { assert, assertEquals } from "../assert.ts";
import { receiveAll } from "../bytes.ts";
import { startEchoing } from "../fixture.ts";
import { captureLog } from "../serving.ts";
import { until } from "../wait.ts";
import { connectionWith } from "./connection_info.ts";

const RELOADED = { added: 1, changed: 0, removed: 0, connections: 0 };

const CLOSING = { reason: "client_fin", closedBy: "client" } as const;

const URL = "https://hook.example.com/in?key=secret";

/** Webhooks whose posts are recorded, and answered by `answer`. */
function collecting(
  configs: readonly WebhookConfig[],
  answer: PostEvent = () => Promise.resolve(),
  options: { readonly lateMs?: number } = {},
) {
  const posts: {
    url: string;
    event: string;
    data: Record<string, unknown>;
    headers: Record<string, string>;
  }[] = [];
  const post: PostEvent = async (url, body, options) => {
    posts.push({ url, ...JSON.parse(body), headers: { ...options.headers } });
    await answer(url, body, options);
  };
  const webhooks = new Webhooks(configs, { post, pauses: [1, 1], ...options });
  return { webhooks, posts, [Symbol.asyncDispose]: () => webhooks[Symbol.asyncDispose]() };
}

Deno.test("a webhook gets the events that it lists, in order; all events without a list", async () => {
  const other = "http://127.0.0.1:9/other";
  await using hooks = collecting([{ url: URL }, { url: other, events: ["upstream_down"] }]);
  const { webhooks, posts } = hooks;
  const connection = connectionWith({ id: "a", connectedAt: 5, dialedAt: 2 });
  webhooks.connected(connection);
  webhooks.closed(connection, CLOSING);
  webhooks.closed(connectionWith({ connectedAt: undefined }), CLOSING);
  const server = { key: "127.0.0.1:1", pool: "eu", active: 0 };
  webhooks.serverChanged(server, "down", "refused");
  webhooks.serverChanged(server, "ejected", "refused");
  webhooks.serverChanged(server, "up", "its checks pass");
  webhooks.reloaded(RELOADED);
  await until(() => posts.length === 8, "all are posted");
  const eventsOf = (wanted: string) => posts.filter(({ url }) => url === wanted).map(({ event }) => event);
  const down = ["upstream_down", "upstream_down"];
  assertEquals(eventsOf(URL), ["connect", "disconnect", ...down, "upstream_up", "reload"]);
  assertEquals(eventsOf(other), down);
  assertEquals(posts[0]?.data.id, "a");
  assertEquals("reason" in (posts[0]?.data ?? {}), false);
  const ended = posts.find(({ event }) => event === "disconnect");
  assertEquals([ended?.data.reason, ended?.headers["switchyard-event"]], ["client_fin", "disconnect"]);
});

Deno.test("requests are signed with HMAC-SHA256 over time and body", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "a secret\n");
  let sent: [string, string] | undefined;
  await using hooks = collecting([{ url: URL, secret_file: file }], (_url, body, { headers }) => {
    sent = [body, headers?.["switchyard-signature"] ?? ""];
    return Promise.resolve();
  });
  hooks.webhooks.reloaded(RELOADED);
  await until(() => sent !== undefined, "it is posted");
  const [body, signature] = sent ?? ["", ""];
  const [, seconds, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  assertEquals(hex, createHmac("sha256", "a secret").update(`${seconds}.${body}`).digest("hex"));
  assert(Math.abs(Number(seconds) - Date.now() / 1000) < 60);
  await Deno.remove(file);
});

Deno.test("a failed event is sent again, twice, and then dropped for the next", async () => {
  using log = captureLog();
  let calls = 0;
  await using hooks = collecting([{ url: URL }], () => {
    calls += 1;
    return calls <= 4 ? Promise.reject(new Error("refused")) : Promise.resolve();
  });
  hooks.webhooks.reloaded(RELOADED);
  hooks.webhooks.serverChanged({ key: "k", pool: "p", active: 0 }, "up", "");
  await until(() => calls === 5, "the second has got through");
  assertEquals(hooks.posts.map(({ event }) => event), [
    "reload",
    "reload",
    "reload",
    "upstream_up",
    "upstream_up",
  ]);
  assertEquals(log.lines("dropping"), [
    "webhook https://hook.example.com/in: dropping the event reload after 3 attempts: refused",
  ]);
});

Deno.test("a webhook that hangs holds a bounded queue, and ends with the balancer", async () => {
  const hooks = collecting([{ url: URL }], () => new Promise(() => {}));
  for (let index = 0; index < MOST_QUEUED * 2; index++) hooks.webhooks.reloaded(RELOADED);
  const begun = performance.now();
  await hooks[Symbol.asyncDispose]();
  assert(performance.now() - begun < 30_000);
  assertEquals(hooks.posts.length, 1);
});

Deno.test("while a webhook is slow, events of servers overtake those of connections, the oldest of which are dropped", async () => {
  using log = captureLog();
  const gate = Promise.withResolvers<void>();
  await using hooks = collecting([{ url: URL }], () => gate.promise, { lateMs: 0 });
  const { webhooks, posts } = hooks;
  webhooks.connected(connectionWith({ conn: 1, connectedAt: 5 }));
  await until(() => posts.length === 1, "the first is on its way");
  for (let conn = 2; conn <= MOST_QUEUED + 2; conn++) {
    webhooks.connected(connectionWith({ conn, connectedAt: 5 }));
  }
  webhooks.serverChanged({ key: "127.0.0.1:1", pool: "eu", active: 0 }, "down", "refused");
  webhooks.reloaded(RELOADED);
  gate.resolve();
  await until(() => posts.length === MOST_QUEUED + 1, "the queue is empty");
  assertEquals(posts.slice(0, 4).map(({ event, data }) => [event, data.conn]), [
    ["connect", 1],
    ["upstream_down", undefined],
    ["reload", undefined],
    ["connect", 5],
  ]);
  assertEquals(posts.at(-1)?.data.conn, MOST_QUEUED + 2);
  await until(() => log.lines("dropped").length === 2, "the number is logged");
  assertEquals(log.lines("dropped").map((line) => line.replace(/.*: (\d+ events?) dropped.*/, "$1")), [
    "1 event",
    "2 events",
  ]);
});

Deno.test("events that are still queued at the end are counted in the log", async () => {
  using log = captureLog();
  const hooks = collecting([{ url: URL }], () => new Promise(() => {}));
  for (let index = 0; index < 5; index++) hooks.webhooks.reloaded(RELOADED);
  await hooks[Symbol.asyncDispose]();
  assertEquals(log.lines("4 events dropped").length, 1);
});

Deno.test("a secret whose file cannot be read, as on a file system that hangs, does not hold up the end", async () => {
  const posted: string[] = [];
  const webhooks = new Webhooks([{ url: URL, secret_file: "secret" }], {
    post: (url) => Promise.resolve(void posted.push(url)),
    readSecret: () => new Promise(() => {}),
  });
  webhooks.reloaded(RELOADED);
  await webhooks[Symbol.asyncDispose]();
  assertEquals(posted, []);
});

Deno.test("a reload keeps the queues of unchanged webhooks, and ends the others", async () => {
  const gate = Promise.withResolvers<void>();
  await using hooks = collecting([{ url: URL }], () => gate.promise);
  hooks.webhooks.reloaded(RELOADED);
  hooks.webhooks.reloaded(RELOADED);
  hooks.webhooks.configure([{ url: URL }, { url: "http://127.0.0.1:9/" }]);
  gate.resolve();
  await until(() => hooks.posts.length === 2, "both are posted");
  hooks.webhooks.configure([]);
  hooks.webhooks.reloaded(RELOADED);
  assertEquals(hooks.posts.length, 2);
});

Deno.test("connections do not wait for webhooks that never answer, or refuse", async () => {
  const post = (url: string) =>
    url === URL ? new Promise<never>(() => {}) : Promise.reject(new Error("refused"));
  const webhooks = new Webhooks([{ url: URL }, { url: "http://127.0.0.1:9/" }], { post, pauses: [] });
  await using balancer = startEchoing({}, { observers: [webhooks] });
  for (let index = 0; index < 20; index++) {
    using client = await balancer.join();
    await client.closeWrite();
    assertEquals((await receiveAll(client)).length, 0);
  }
  await until(() => balancer.balancer.active === 0, "all have ended");
});
