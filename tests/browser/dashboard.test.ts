/** The dashboard in a real browser, before a balancer with traffic. */

import type { Browser, Page } from "playwright-core";
import { AdminServer } from "../../lib/admin/server.ts";
import { administer } from "../admin/administered.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { CHROMIUM } from "../clients/tools.ts";
import { launch } from "./pages.ts";
import { send } from "../bytes.ts";
import { configTo } from "../fixture.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";

const ignore = CHROMIUM === undefined;

const HOSTILE = ['<img src=x onerror="document.title=1">', '"'.repeat(255), "abc\u202etxt\u200f"];

/** A balancer whose every ID goes to an echo, and its admin API on `port`. */
async function startServed(port = 0, startedAt = new Date()) {
  const upstream = startEcho();
  const pools = { eu: poolTo(upstream.port) };
  const config = configTo(9, { routes: [{ match: "*", pool: "eu" }], pools });
  const admin = administer(config, { startedAt });
  const server = await AdminServer.start({ address: { host: "127.0.0.1", port } }, admin.source);
  return {
    admin,
    port: server.address.port,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await admin[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** One browser for all the tests here. */
let browser: Browser | undefined;

Deno.test.beforeAll(async () => {
  if (!ignore) browser = await launch();
});

Deno.test.afterAll(() => browser?.close());

/** A page of its own, with the dashboard on `port`. */
async function openDashboard(port: number, size = { width: 1600, height: 1000 }) {
  assert(browser);
  const page = await browser.newPage({ viewport: size });
  const lines: string[] = [];
  page.on("console", (message) => void lines.push(message.text()));
  page.on("pageerror", (error) => void lines.push(String(error)));
  await page.goto(`http://127.0.0.1:${port}/`);
  await shows(page, "#state", "running");
  return { page, console: lines, [Symbol.asyncDispose]: () => page.close() };
}

function poolTo(port: number) {
  const server = { host: "127.0.0.1", port, weight: 1, backup: false };
  const more = { max_fails: 3, fail_duration: 10_000, slow_start: 0, max_connections: 0 };
  return { strategy: "hash" as const, servers: [server], ...more };
}

/** Waits until an element has a text. */
async function shows(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).first().waitFor({ timeout: 20_000 });
}

async function scrollsSideways(page: Page): Promise<boolean> {
  return await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");
}

Deno.test({
  name: "figures move under traffic, hostile IDs are text, and a connection is kicked after a question",
  ignore,
  // the browser's driver keeps timers of its own
  sanitizeOps: false,
  fn: async () => {
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
    assertEquals(admin.balancer.active, 3);
    await page.getByRole("button", { name: "Kick connection 1", exact: true }).click();
    await page.locator("#ask-yes").click();
    await until(() => admin.balancer.active === 2, "the connection is closed", 20_000);
    await shows(page, "#tile-active", "2");
    assertEquals(await page.title(), "Switchyard");
    assertEquals(opened.console, []);
    for (const client of clients) client.close();
  },
});

Deno.test({
  name:
    "routes are searched and an ID is explained by keyboard alone; nothing scrolls sideways at 360 pixels",
  ignore,
  // the browser's driver keeps timers of its own
  sanitizeOps: false,
  fn: async () => {
    await using served = await startServed();
    const { admin } = served;
    await using opened = await openDashboard(served.port, { width: 360, height: 740 });
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
});

Deno.test({
  name: "the page survives a restart of the balancer and says so",
  ignore,
  sanitizeOps: false,
  fn: async () => {
    const first = await startServed();
    await using opened = await openDashboard(first.port);
    const { page } = opened;
    await first[Symbol.asyncDispose]();
    await shows(page, "#notice", "The balancer does not answer");
    await shows(page, "#state", "no connection");
    await using second = await startServed(first.port, new Date(0));
    await shows(page, "#notice", "The balancer was restarted at");
    await shows(page, "#state", "running");
    using _client = await second.admin.relayed("1");
    await shows(page, "#tile-active", "1");
  },
});
