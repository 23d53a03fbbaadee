/** The dashboard in a real browser, before a balancer. */

import { type Browser, type Page } from "playwright-core";
import { AdminServer } from "../../lib/admin/server.ts";
import { administer } from "../admin/administered.ts";
import { assert } from "../assert.ts";
import { CHROMIUM } from "./chromium.ts";
import { type Changes, configTo } from "../fixture.ts";
import { startEcho } from "../upstreams.ts";
import { launch } from "./pages.ts";

/** Whether there is no browser. */
export const noBrowser = CHROMIUM === undefined;

/** One browser for all the tests of a thread. */
let browser: Browser | undefined;

/** Starts the browser before the tests of this thread, and ends it after them. Several files of one thread share it. */
export function withBrowser(): void {
  Deno.test.beforeAll(async () => {
    if (!noBrowser) browser ??= await launch();
  });
  Deno.test.afterAll(async () => {
    await browser?.close();
    browser = undefined;
  });
}

/** A test with a browser, where there is one. */
export function browserTest(name: string, fn: () => Promise<void>): void {
  // the browser's driver keeps timers of its own
  Deno.test({ name, ignore: noBrowser, sanitizeOps: false, fn });
}

/** A balancer whose every ID goes to an echo, and its admin API on `port`. */
export async function startServed(
  port = 0,
  startedAt = new Date(),
  changes: Changes = {},
  tokenFile?: string,
) {
  const upstream = startEcho();
  const pools = { eu: poolTo(upstream.port) };
  const config = configTo(9, { routes: [{ match: "*", pool: "eu" }], pools, ...changes });
  const admin = administer(config, { startedAt });
  const server = await AdminServer.start({
    address: { host: "127.0.0.1", port },
    ...(tokenFile !== undefined && { token_file: tokenFile }),
  }, admin.source);
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

/** A page of its own, with the dashboard on `port`. */
export async function openDashboard(port: number, size = { width: 1600, height: 1000 }, state = "running") {
  assert(browser);
  const page = await browser.newPage({ viewport: size });
  const lines: string[] = [];
  page.on("console", (message) => void lines.push(message.text()));
  page.on("pageerror", (error) => void lines.push(String(error)));
  await page.goto(`http://127.0.0.1:${port}/`);
  await shows(page, "#state", state);
  return { page, console: lines, [Symbol.asyncDispose]: () => page.close() };
}

function poolTo(port: number) {
  const server = { host: "127.0.0.1", port, weight: 1, backup: false };
  const more = { max_fails: 3, fail_duration: 10_000, slow_start: 0, max_connections: 0 };
  return { strategy: "hash" as const, servers: [server], ...more };
}

/** Waits until an element has a text. */
export async function shows(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).first().waitFor({ timeout: 20_000 });
}
