import { EventFeed } from "../../lib/admin/events.ts";
import { HttpError } from "../../lib/admin/http.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "../assert.ts";
import { pause, until } from "../wait.ts";
import { captureLog } from "../serving.ts";

const decoder = new TextDecoder();

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return decoder.decode(value);
}

function readerOf({ body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (!body) throw new Error("no body");
  return body.getReader();
}

Deno.test("a stream gets every part when it opens, and changes afterwards", async () => {
  let count = 0;
  using feed = new EventFeed(() => Promise.resolve({ status: ++count, pools: [] }), 5);
  const reader = readerOf(feed.open());
  assertEquals(await next(reader), "event: status\ndata: 1\n\nevent: pools\ndata: []\n\n");
  assertMatch(await next(reader), /^event: status\ndata: \d+\n\n$/);
  await reader.cancel();
  assertEquals(feed.streams, 0);
});

Deno.test("a stream that is not read skips events, and no stream means no work", async () => {
  let asked = 0;
  using feed = new EventFeed(() => Promise.resolve({ status: ++asked }), 1);
  const reader = readerOf(feed.open());
  await until(() => asked > 20, "there were many events");
  await next(reader);
  const second = Number(/\d+/.exec(await next(reader))?.[0]);
  assertEquals(second > 15, true, String(second));
  await reader.cancel();
  const then = asked;
  await pause(30);
  assertEquals(asked - then <= 1, true);
});

Deno.test("streams are bounded, and end with the feed", async () => {
  const feed = new EventFeed(() => Promise.resolve({}), 1000);
  const readers = Array.from({ length: 50 }, () => readerOf(feed.open()));
  const error = assertThrows(() => feed.open(), HttpError);
  assertEquals(error.status, 503);
  feed[Symbol.dispose]();
  for (const reader of readers) while (!(await reader.read()).done);
});

Deno.test("a stream that has skipped a change gets it once it is read again", async () => {
  let [count, pools] = [0, "up"];
  using feed = new EventFeed(() => Promise.resolve({ status: ++count, pools }), 1);
  const reader = readerOf(feed.open());
  await until(() => count > 3, "the stream is full");
  pools = "down";
  const changed = count;
  await until(() => count > changed + 3, "the change was skipped");
  const texts = [await next(reader)];
  while (!texts.at(-1)?.includes("pools") || texts.length < 2) {
    assert(texts.length < 20, "the change never came");
    texts.push(await next(reader));
  }
  assertStringIncludes(texts.at(-1) ?? "", 'event: pools\ndata: "down"\n');
  await reader.cancel();
});

Deno.test("a second stream gets every part, and the first only changes", async () => {
  let count = 0;
  using feed = new EventFeed(() => Promise.resolve({ status: ++count, pools: [] }), 5);
  const first = readerOf(feed.open());
  await next(first);
  const second = readerOf(feed.open());
  assertStringIncludes(await next(second), "event: pools");
  assert(!(await next(first)).includes("pools"));
  await Promise.all([first.cancel(), second.cancel()]);
});

Deno.test("a round that fails ends neither the stream nor the process", async () => {
  let count = 0;
  using _log = captureLog();
  using feed = new EventFeed(
    () => ++count === 1 ? Promise.reject(new Error("no")) : Promise.resolve({ count }),
    5,
  );
  const reader = readerOf(feed.open());
  assertStringIncludes(await next(reader), "event: count\ndata: 2\n");
  await reader.cancel();
});
