import { EventFeed } from "../../lib/admin/events.ts";
import { HttpError } from "../../lib/admin/http.ts";
import { assertEquals, assertMatch, assertThrows } from "../assert.ts";
import { until } from "../harness.ts";

const decoder = new TextDecoder();

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return decoder.decode(value);
}

function readerOf({ body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (!body) throw new Error("no body");
  return body.getReader();
}

Deno.test("a stream gets every part when it opens, and then what has changed", async () => {
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
  await new Promise((resolve) => setTimeout(resolve, 30));
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
