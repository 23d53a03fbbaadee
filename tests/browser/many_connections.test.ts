/** The dashboard with many connections. Upstream and balancer are processes of their own, since they need many open files. */

import type { CDPSession, Page } from "playwright-core";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals } from "../assert.ts";
import { receive, send } from "../bytes.ts";
import { start } from "../e2e/processes.ts";
import { said, serve, type Serving } from "../serving.ts";
import { sized } from "../soak.ts";
import { pause } from "../wait.ts";
import { browserTest, openDashboard, shows, withBrowser } from "./dashboard.ts";

/** Connections that are relayed, and those that have sent no ID. They take two open files and one. */
const RELAYED = sized(9000, 0.03);
const SILENT = sized(1000, 0.03);
const ALL = RELAYED + SILENT;

const MIB = 1 << 20;

const text = (count: number) => count.toLocaleString("en");

const idOf = (index: number) => `device-${String(index).padStart(5, "0")}`;

/** An echoing upstream, and a balancer with an admin API. */
async function startBoth() {
  const upstream = start({ command: [] }, ["upstream", "--listen", "127.0.0.1:0", "--mode", "echo"]);
  await upstream.stdout.until("listening on");
  const [, echo] = /listening on 127\.0\.0\.1:(\d+)/.exec(upstream.stdout.text) ?? [];
  const settings = `listeners: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
limits: { connections: 20000 }
timeouts: { id: 1h }
log: { access: false }
routes: [{ match: "*", host: 127.0.0.1, port: ${echo} }]
`;
  const serving = await serve("", { text: settings });
  await said(serving, "admin API at ");
  const [, admin] = /admin API at http:\S+:(\d+)\//.exec(serving.balancer.stderr.text) ?? [];
  return {
    serving,
    admin: Number(admin),
    async [Symbol.asyncDispose]() {
      await serving[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Connects every client, fifty at a time. */
async function openAll({ connect }: Serving): Promise<Disposable> {
  const clients: Deno.Conn[] = [];
  let next = 0;
  const open = async () => {
    while (next < ALL) {
      const index = next++;
      const client = await connect();
      clients.push(client);
      if (index >= RELAYED) continue;
      const id = encodeId(idOf(index));
      await send(client, id);
      assertEquals((await receive(client, id.length)).length, id.length);
    }
  };
  await Promise.all(Array.from({ length: 50 }, open));
  return {
    [Symbol.dispose]() {
      for (const client of clients) client.close();
    },
  };
}

/** Memory of the page's live objects, in bytes. */
async function heap(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize;
}

/** The longest task of the page while `work` ran, in milliseconds. */
async function longestTask(page: Page, work: () => Promise<void>): Promise<number> {
  await page.evaluate(`
    globalThis.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ entryTypes: ["longtask"] });
  `);
  await work();
  return await page.evaluate("longest");
}

/** Bytes of the event stream, beginning with its first event, within some seconds. */
async function eventBytes(admin: number, seconds: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${admin}/api/v1/events`);
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  let bytes = 0;
  const reading = (async () => {
    for (;;) {
      const { value } = await reader.read();
      if (!value) return;
      bytes += value.length;
    }
  })();
  await pause(seconds * 1000);
  await reader.cancel();
  await reading;
  return bytes;
}

withBrowser();

browserTest(`with ${ALL} connections the page finds and kicks one, and stays fast and small`, async () => {
  await using both = await startBoth();
  using _clients = await openAll(both.serving);
  await using opened = await openDashboard(both.admin, { size: { width: 1600, height: 1000 }, fresh: true });
  const { page } = opened;
  await shows(page, "#tile-active", text(ALL));
  await shows(page, "#connections-shown", `50 shown of ${text(ALL)} open`);
  const session = await page.context().newCDPSession(page);
  const before = await heap(session);
  const streamed = eventBytes(both.admin, 3);
  const wanted = idOf(RELAYED - 7);
  const longest = await longestTask(page, async () => {
    await page.getByRole("button", { name: "Next page" }).first().click();
    await page.getByLabel("Order").selectOption("bytes");
    await page.locator("#connections-form input").fill(wanted);
    await shows(page, "#connections-shown", `1 shown of ${text(ALL)} open`);
    assertEquals(await page.locator("#connections td.id").allTextContents(), [wanted]);
    await page.getByRole("button", { name: /^Kick connection / }).click();
    await page.locator("#ask-yes").click();
    await shows(page, "#tile-active", text(ALL - 1));
    await shows(page, "#connections-shown", `0 shown of ${text(ALL - 1)} open`);
    await page.locator("#connections-form input").fill("");
    await shows(page, "#connections-shown", `50 shown of ${text(ALL - 1)} open`);
  });
  // tens of milliseconds on a quiet machine
  assert(longest < 2000, `the page was busy for ${longest} ms`);
  const bytes = await streamed;
  assert(bytes > 0 && bytes < 8 << 10, `${bytes} bytes of events in 3 seconds`);
  const grown = await heap(session) - before;
  assert(before < 20 * MIB && grown < 2 * MIB, `the page holds ${before} bytes, and ${grown} more later`);
  const elements = await page.evaluate<number>("document.querySelectorAll('*').length");
  assert(elements < 2000, `the page has ${elements} elements`);
  assertEquals(opened.console, []);
});
