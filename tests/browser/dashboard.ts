/** The dashboard of a balancer in a real browser. */

import { type Browser, type Page } from "playwright-core";
import { AdminServer } from "../../lib/admin/server.ts";
import { administer } from "../admin/administered.ts";
import { assert } from "../assert.ts";
import { CHROMIUM } from "./chromium.ts";
import { type Changes, configTo } from "../fixture.ts";
import { startEcho } from "../upstreams.ts";
import { launch } from "./pages.ts";

/** Whether tests with a browser are ignored, since there is none. */
export const noBrowser = CHROMIUM === undefined;

/** One browser for all the tests of a thread. */
let browser: Browser | undefined;

/** The page that its tests use in turn. */
let shared: Page | undefined;

/** Starts the browser before the tests of this thread, and ends it after them. Several files of one thread share it. */
export function withBrowser(): void {
  Deno.test.beforeAll(async () => {
    if (!noBrowser) browser ??= await launch();
  });
  Deno.test.afterAll(async () => {
    await browser?.close();
    browser = shared = undefined;
  });
}

/** A test with a browser. It is ignored if there is none. */
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

/** How a dashboard is opened. */
interface Opening {
  /** Size of the window. Painting a large one takes most of the time. @default 800 times 600 pixels */
  readonly size?: { readonly width: number; readonly height: number };
  /** The state that it shows first. @default "running" */
  readonly state?: string;
  /** Whether it has a page of its own, such as for a clock or for memory, which outlast the dashboard. @default false */
  readonly fresh?: boolean;
}

/** The dashboard on `port`. Tests use one page in turn, since a new one takes as long as a whole test. */
export async function openDashboard(port: number, { size, state = "running", fresh = false }: Opening = {}) {
  assert(browser);
  const page = fresh ? await browser.newPage() : shared ??= await browser.newPage();
  await page.setViewportSize(size ?? { width: 800, height: 600 });
  const lines: string[] = [];
  page.on("console", (message) => void lines.push(message.text()));
  page.on("pageerror", (error) => void lines.push(String(error)));
  await page.goto(`http://127.0.0.1:${port}/`);
  await shows(page, "#state", state);
  return { page, console: lines, [Symbol.asyncDispose]: () => fresh ? page.close() : leave(page) };
}

/** Leaves a page as the next test wants it. */
async function leave(page: Page): Promise<void> {
  await page.removeAllListeners(undefined, { behavior: "wait" });
  await page.unrouteAll({ behavior: "wait" });
  await page.emulateMedia({ colorScheme: null });
  // by then the driver's timer for the page is over
  await page.goto("about:blank", { waitUntil: "networkidle" });
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
