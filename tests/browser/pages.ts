/** A page in headless Chromium, served on loopback. */

import { type Browser, chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.ts";

/** A page that is open. */
export interface OpenPage extends AsyncDisposable {
  /** The origin that the page sends. */
  readonly origin: string;
  /** The value of an expression in the page. Promises are awaited. */
  evaluate<T>(expression: string): Promise<T>;
  /** Lines in the page's console. */
  readonly console: readonly string[];
}

const TYPES: Readonly<Record<string, string>> = { html: "text/html; charset=utf-8", js: "text/javascript" };

const EMPTY = "<!doctype html><title>Switchyard</title><h1>Switchyard</h1>";

/** Opens `/` in a browser of its own. @param files What is served, by path; without `/` an empty page. */
export async function openPage(files: Readonly<Record<string, string>>): Promise<OpenPage> {
  const server = serve({ "/": EMPTY, ...files });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const browser = await launch();
  const page = await browser.newPage();
  const lines: string[] = [];
  page.on("console", (message) => void lines.push(message.text()));
  page.on("pageerror", (error) => void lines.push(String(error)));
  await page.goto(`${origin}/`);
  return {
    origin,
    console: lines,
    evaluate: (expression) => within(EVALUATE_MS, page.evaluate(expression), () => lines),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.shutdown();
    },
  };
}

/** Time limit for the page, so that a hang is reported: many times what it needs on a busy machine. */
const EVALUATE_MS = 120_000;

async function within<T>(ms: number, work: Promise<T>, said: () => readonly string[]): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`the page took more than ${ms} ms; its console: ${JSON.stringify(said())}`));
  }, ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function serve(files: Readonly<Record<string, string>>): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const body = files[pathname];
    if (body === undefined) return new Response("not here", { status: 404 });
    const type = TYPES[pathname.split(".")[1] ?? "html"] ?? "text/plain";
    return new Response(body, { headers: { "content-type": type } });
  });
}

/** Starts a browser. Chromium's sandbox does not run as root. */
export async function launch(): Promise<Browser> {
  const args = Deno.uid() === 0 ? ["--no-sandbox"] : [];
  return await chromium.launch({ ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }), args });
}
