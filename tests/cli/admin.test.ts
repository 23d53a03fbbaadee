/** `switchyard serve` with an admin API, as a process with net and read permissions only. */

import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import type { Running } from "../e2e/processes.ts";
import { receiveAll, send } from "../bytes.ts";
import { startEcho } from "../upstreams.ts";
import { freePort } from "../sockets.ts";
import { LISTENERS, replace, routeTo, said, serve } from "../serving.ts";
import { run } from "./command.ts";

const TOKEN = "0123456789abcdef";

async function adminUrl({ stderr }: Running): Promise<string> {
  await stderr.until("admin API at ");
  await stderr.until("/\n");
  const [, url] = /admin API at (http:\S+:\d+)\//.exec(stderr.text) ?? [];
  assert(url !== undefined, stderr.text);
  return url;
}

/** The page and the files that it loads, which an executable embeds. */
async function fetchDashboard(url: string): Promise<void> {
  const page = await (await fetch(`${url}/`)).text();
  const files = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? "");
  const main = await (await fetch(`${url}/dashboard/main.js`)).text();
  files.push(...[...main.matchAll(/from "\.(\/[^"]+)"/g)].map(([, path]) => `/dashboard${path}`));
  assert(files.length > 6, page);
  for (const file of files) {
    const response = await fetch(url + file);
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("content-type") === "text/html"], [200, false], file);
  }
}

Deno.test("serve --admin serves an admin API; reload, health and drain work through it", async () => {
  await using upstream = startEcho();
  await using served = await serve(routeTo(upstream.port), { flags: ["--admin", "127.0.0.1:0"] });
  const url = await adminUrl(served.balancer);
  const address = url.replace("http://", "");
  assertEquals((await run("health", "--admin", address)).status, 0);
  await fetchDashboard(url);
  using client = await served.connect();
  await send(client, encodeId("1"));
  const reloaded = await fetch(`${url}/api/v1/reload`, { method: "POST" });
  assertEquals([reloaded.status, (await reloaded.json()).changed], [200, 0]);
  await Deno.writeTextFile(served.file, "routes: [{}]");
  const wrong = await fetch(`${url}/api/v1/reload`, { method: "POST" });
  assertEquals(wrong.status, 422);
  assertMatch((await wrong.json()).problems.join(), /routes\[0\]/);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assertStringIncludes(metrics, 'switchyard_connections_active{transport="tcp"} 1\n');
  assertMatch(metrics, /switchyard_config_reloads_total\{result="failure"\} [1-9]/);
  const asked = await fetch(`${url}/api/v1/drain`, { method: "POST" });
  assertEquals([asked.status, (await asked.json()).draining], [202, true]);
  assertEquals((await run("health", "--admin", address)).status, 1);
  await client.closeWrite();
  await receiveAll(client);
  assertEquals(await served.balancer.status(), 0);
});

Deno.test("a reload moves the admin API, gives it a token and turns it off; an address that fails changes nothing", async () => {
  const [first, second, taken] = [freePort(), freePort(), freePort()];
  const settings = (admin: string) => `${LISTENERS}${admin}${routeTo(9)}`;
  await using served = await serve("", { text: settings(`admin: { address: "127.0.0.1:${first}" }\n`) });
  await Deno.writeTextFile(`${served.folder}/token`, TOKEN);
  await said(served, `admin API at http://127.0.0.1:${first}/`);
  /** Writes a configuration, and has the balancer on `port` reload it. Returns the status of the answer. */
  const reload = async (port: number, admin: string, headers = {}) => {
    await Deno.writeTextFile(served.file, settings(admin));
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/reload`, { method: "POST", headers });
    return [response.status, (await response.json()).error];
  };
  const isServed = async (port: number) => {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    return await response?.text() === "ok\n";
  };
  assertEquals(await reload(first, `admin: { address: "127.0.0.1:${second}" }\n`), [200, undefined]);
  assertEquals([await isServed(first), await isServed(second)], [false, true]);
  const everywhere = `admin: { address: "0.0.0.0:${second}", token_file: token }\n`;
  assertEquals(await reload(second, everywhere), [200, undefined]);
  await said(served, `admin API at http://0.0.0.0:${second}/`);
  assertEquals(await reload(second, everywhere), [401, "expected the header Authorization: Bearer TOKEN"]);
  const authorized = { authorization: `Bearer ${TOKEN}` };
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: taken });
  const [status, error] = await reload(second, `admin: { address: "127.0.0.1:${taken}" }\n`, authorized);
  assertEquals(status, 422);
  assertStringIncludes(error, `cannot serve the admin API on 127.0.0.1:${taken}: `);
  assertEquals(await isServed(second), true);
  assertEquals(await reload(second, "", authorized), [200, undefined]);
  await said(served, "the admin API is off");
  assertEquals(await isServed(second), false);
});

Deno.test("an admin API that was off at the start needs a restart, and a reload logs that", async () => {
  await using served = await serve(routeTo(9));
  await said(served, "started");
  await replace(served, `${LISTENERS}admin: { address: "127.0.0.1:0" }\n${routeTo(9)}`);
  await said(served, "it takes effect after a restart");
});

Deno.test("the admin API of the file can be turned off; its token file is checked at the start", async () => {
  const text = `${LISTENERS}admin: { address: "127.0.0.1:0", token_file: none }\n${routeTo(9)}`;
  await using served = await serve("", {
    text: text.replace(", token_file: none", ""),
    flags: ["--admin", "off"],
  });
  assertEquals(served.balancer.stderr.text.includes("admin"), false);
  await Deno.writeTextFile(served.file, text);
  const { status, err } = await run("check", "-c", served.file);
  assertEquals([status, err.length], [2, 1]);
  assertMatch(err[0] ?? "", /admin\.token_file: .*none: there is no such file/);
});

Deno.test("an admin address that other machines can reach needs a token", async () => {
  const { status, err } = await run("serve", "--route", "1=127.0.0.1:9", "--admin", "0.0.0.0:0");
  assertEquals([status, err.length], [2, 1]);
  assertMatch(
    err[0] ?? "",
    /--admin: "0\.0\.0\.0:0" is not a loopback address; set admin\.token_file/,
  );
});
