/** The dashboard in a real browser, for a balancer with traffic. */

import type { Page } from "playwright-core";
import { parseConfig } from "../../lib/config/parse.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { send } from "../bytes.ts";
import { until } from "../wait.ts";
import { browserTest, openDashboard, shows, startServed, withBrowser } from "./dashboard.ts";

const HOSTILE = ['<img src=x onerror="document.title=1">', '"'.repeat(255), "abc\u202etxt\u200f"];

withBrowser();

async function scrollsSideways(page: Page): Promise<boolean> {
  return await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");
}

async function isInView(page: Page, id: string): Promise<boolean> {
  return await page.evaluate(`(() => {
    const { top, bottom } = document.getElementById("${id}").getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  })()`);
}

browserTest(
  "figures change under traffic, hostile IDs are text, and a connection is closed after a confirmation",
  async () => {
    await using served = await startServed();
    const { admin } = served;
    await using opened = await openDashboard(served.port);
    const { page } = opened;
    const clients = [];
    for (const id of HOSTILE) clients.push(await admin.relayed(id));
    await shows(page, "#tile-active", "3");
    await shows(page, "#connections-shown", "3 shown of 3 open");
    for (const client of clients) await send(client, new Uint8Array(1000));
    await until(() => admin.balancer.engine.registry.bytes().up > 3000, "bytes are relayed");
    await shows(page, "#tile-up-total", "KiB since the start");
    assertEquals(await page.locator("#connections img").count(), 0);
    const ids = await page.locator("#connections td.id").allTextContents();
    assertEquals(ids, [HOSTILE[0], HOSTILE[1], "abc\\u{202e}txt\\u{200f}"]);
    await shows(page, "#pools", "● up");
    await page.getByRole("button", { name: "Kick connection 1", exact: true }).click();
    await shows(page, "#ask-text", HOSTILE[0] ?? "");
    await page.keyboard.press("Escape");
    await page.locator("#ask").waitFor({ state: "hidden" });
    assertEquals(admin.balancer.active, 3);
    // the browser reports the end of the first dialog when the second one is open
    await page.evaluate(`(() => {
      const kick = document.querySelector("[aria-label='Kick connection 1']");
      kick.click();
      document.getElementById("ask").close();
      kick.click();
    })()`);
    await page.locator("#ask-yes").click();
    await until(() => admin.balancer.active === 2, "the connection is closed", 20_000);
    await shows(page, "#tile-active", "2");
    assertEquals(await page.title(), "Switchyard");
    assertEquals(opened.console, []);
    for (const client of clients) client.close();
  },
);

browserTest(
  "routes are searched and an ID is explained by keyboard alone; nothing scrolls sideways at 360 pixels",
  async () => {
    await using served = await startServed();
    const { admin } = served;
    await using opened = await openDashboard(served.port, { size: { width: 360, height: 740 } });
    const { page } = opened;
    const clients = [];
    for (const id of HOSTILE) clients.push(await admin.relayed(id));
    await shows(page, "#connections-shown", "3 shown");
    assertEquals(await scrollsSideways(page), false);
    await page.locator("#routes-form input").fill("nothing");
    await shows(page, "#routes-shown", "0 shown of 1");
    await page.locator("#explain-form input[name=id]").focus();
    await page.keyboard.type('<b>"');
    await page.keyboard.press("Enter");
    await shows(page, "#explanation", "The connection is accepted.");
    assertStringIncludes(await page.locator("#explanation").innerText(), "match * → pool eu: selected");
    assertEquals(await scrollsSideways(page), false);
    await page.setViewportSize({ width: 1600, height: 1000 });
    assertEquals(await scrollsSideways(page), false);
    assertEquals(opened.console, []);
    for (const client of clients) client.close();
  },
);

browserTest("the page survives a restart of the balancer and shows it", async () => {
  const first = await startServed();
  await using opened = await openDashboard(first.port);
  const { page } = opened;
  await page.locator("#explain-form input[name=id]").focus();
  await first[Symbol.asyncDispose]();
  await shows(page, "#notice", "The balancer does not answer");
  assert(await isInView(page, "notice"), "the notice is out of sight");
  await shows(page, "#state", "no connection");
  await using second = await startServed(first.port, new Date(0));
  await shows(page, "#notice", "The balancer was restarted at");
  await shows(page, "#state", "running");
  using _client = await second.admin.relayed("1");
  await shows(page, "#tile-active", "1");
  await page.getByRole("button", { name: "Dismiss" }).click();
  await page.locator("#notice").waitFor({ state: "hidden" });
  // the browser itself logs that it cannot connect
  assertEquals(opened.console.filter((line) => !line.startsWith("Failed to load resource: ")), []);
});

browserTest("a page whose stream is refused shows that, and gets one once there is room", async () => {
  await using served = await startServed();
  const streams = await Promise.all(
    Array.from({ length: 50 }, () => fetch(`http://127.0.0.1:${served.port}/api/v1/events`)),
  );
  const cancelAll = () => Promise.all(streams.map(({ body }) => body?.cancel()));
  await using _streams = { [Symbol.asyncDispose]: async () => void await cancelAll() };
  await using opened = await openDashboard(served.port, { state: "no connection" });
  const { page } = opened;
  await shows(page, "#notice", "too many pages may be open");
  await cancelAll();
  await shows(page, "#state", "running");
  assertEquals(opened.console.filter((line) => !line.startsWith("Failed to load resource: ")), []);
});

browserTest("the page has the number of workers, and the routes of the configuration in use", async () => {
  await using served = await startServed();
  await using opened = await openDashboard(served.port);
  const { page } = opened;
  await shows(page, "#version", ", 1 worker");
  await shows(page, "#routes", "match *");
  const { balancer } = served.admin;
  const { config } = balancer.engine;
  await balancer.reload({ ...config, routes: [{ id: "new", pool: "eu" }, ...config.routes] });
  await shows(page, "#routes", "id new");
  await shows(page, "#routes-shown", "2 shown of 2");
  assertEquals(opened.console, []);
});

browserTest("an answer that arrives after that to a later request is not shown", async () => {
  await using served = await startServed();
  using _one = await served.admin.relayed("one");
  using _two = await served.admin.relayed("two");
  await using opened = await openDashboard(served.port);
  const { page } = opened;
  await shows(page, "#connections-shown", "2 shown of 2");
  const held = Promise.withResolvers<void>();
  await page.route(/search=(match|one)\b/, async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.locator("#routes-form input").fill("match");
  await page.locator("#routes-form input").fill("nothing");
  await shows(page, "#routes-shown", "0 shown of 1");
  await page.locator("#connections-form input").fill("one");
  await page.locator("#connections-form input").fill("two");
  const late = [/routes.*match/, /connections.*one/].map((url) => page.waitForResponse(url));
  held.resolve();
  await Promise.all(late);
  await shows(page, "#connections-shown", "1 shown of 2");
  assertEquals(await page.locator("#connections td.id").allTextContents(), ["two"]);
  assertEquals(await page.locator("#routes-shown").innerText(), "0 shown of 1");
  assertEquals(opened.console, []);
});

browserTest("a hundred servers scroll within their table, also by keyboard", async () => {
  const servers = Array.from({ length: 100 }, (_, index) => {
    return { host: "127.0.0.1", port: 1 + index, weight: 1, backup: false };
  });
  const more = { max_fails: 3, fail_duration: 10_000, slow_start: 0, max_connections: 0 };
  await using served = await startServed(0, new Date(), {
    pools: { eu: { strategy: "hash", servers, ...more } },
  });
  await using opened = await openDashboard(served.port, { size: { width: 360, height: 740 } });
  const { page } = opened;
  await shows(page, "#pools", "127.0.0.1:100");
  const place = page.locator("#pools-scroll");
  const sizeOf = (name: string) => page.evaluate<number>(`document.getElementById("pools-scroll").${name}`);
  const [height, all] = [await sizeOf("clientHeight"), await sizeOf("scrollHeight")];
  assert(height < 500 && all > 3000, `${height} of ${all} pixels are seen`);
  await place.focus();
  await page.keyboard.press("End");
  await until(async () => await sizeOf("scrollTop") > 1000, "it scrolls", 20_000);
  assertEquals(opened.console, []);
});

browserTest("a page that stays hidden closes its stream, and opens another when it is visible", async () => {
  await using served = await startServed();
  await using opened = await openDashboard(served.port, { fresh: true });
  const { page } = opened;
  let streams = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/events")) streams += 1;
  });
  await page.clock.install();
  const turn = (hidden: boolean) =>
    page.evaluate(
      `Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
       document.dispatchEvent(new Event("visibilitychange"));`,
    );
  await turn(true);
  await page.clock.fastForward(61_000);
  using _client = await served.admin.relayed("1");
  assertEquals(await page.locator("#tile-active").innerText(), "0");
  await turn(false);
  await shows(page, "#tile-active", "1");
  assertEquals(streams, 1);
  assertEquals(opened.console, []);
});

browserTest("without the token nothing is closed; a wrong one is asked for again", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "0123456789abcdef");
  await using served = await startServed(0, new Date(), {}, file);
  using _client = await served.admin.relayed("1");
  await using opened = await openDashboard(served.port);
  const { page } = opened;
  await page.getByRole("button", { name: "Kick connection 1", exact: true }).click();
  await page.locator("#ask-yes").click();
  await shows(page, "#ask-text", "Changes need the token of admin.token_file.");
  await page.keyboard.type("a wrong one, but long");
  await page.keyboard.press("Enter");
  await shows(page, "#ask-text", "this one is wrong");
  assertEquals(served.admin.balancer.active, 1);
  await page.keyboard.type("0123456789abcdef");
  await page.keyboard.press("Enter");
  await until(() => served.admin.balancer.active === 0, "it is closed", 20_000);
  await Deno.remove(file);
});

browserTest("the page shows that Redis is unavailable", async () => {
  const { redis } = parseConfig('routes: []\nredis: { url: "redis://127.0.0.1:1" }\n', "routes.yaml");
  assert(redis);
  await using served = await startServed(0, new Date(), { redis });
  await using opened = await openDashboard(served.port);
  await shows(opened.page, "#redis.bad", "Redis: unavailable for ");
  await shows(opened.page, "#redis", "; 0 IDs cached");
});
