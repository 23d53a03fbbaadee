import { configTo } from "../fixture.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { administer } from "./administered.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

async function tokenFile(text: string) {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/token`, text);
  return {
    file: `${folder}/token`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("a Host that is neither the bound address nor loopback is refused, also for reading", async () => {
  await using admin = administer(configTo(9), { address: { host: "admin.example.com", port: 9090 } });
  const status = async (host: string) => (await admin.ask("/api/v1/status", {}, host)).status;
  for (const host of ["127.0.0.1:9090", "localhost:9090", "[::1]:9090", "ADMIN.example.com", "127.8.8.8"]) {
    assertEquals(await status(host), 200, host);
  }
  for (
    const host of ["evil.example.com", "admin.example.com.evil.test", "192.0.2.7:9090", "localhost.evil.test"]
  ) {
    assertEquals(await status(host), 403, host);
  }
});

Deno.test("a Host is compared as in URLs: a name may end with a dot, an IPv6 address may have any spelling", async () => {
  await using named = administer(configTo(9), { address: { host: "Admin.example.com", port: 9090 } });
  await using numbered = administer(configTo(9), { address: { host: "2001:DB8:0::01", port: 9090 } });
  await using everywhere = administer(configTo(9), { address: { host: "0:0::0", port: 9090 } });
  const status = async (admin: typeof named, host: string) =>
    (await admin.ask("/api/v1/status", {}, host)).status;
  for (const host of ["localhost.", "LOCALHOST.:9090", "admin.example.com.", "127.0.0.1."]) {
    assertEquals(await status(named, host), 200, host);
  }
  assertEquals(await status(numbered, "[2001:db8::1]:9090"), 200);
  assertEquals(await status(everywhere, "192.0.2.7"), 200);
  for (const host of ["localhost..", "evil.example.com.", "[2001:db8::1]"]) {
    assertEquals(await status(named, host), 403, host);
  }
});

Deno.test("a listener on every address accepts any address as Host, and no name", async () => {
  await using admin = administer(configTo(9), { address: { host: "0.0.0.0", port: 9090 } });
  const status = async (host: string) => (await admin.ask("/healthz", {}, host)).status;
  assertEquals([await status("192.0.2.7:9090"), await status("[2001:db8::1]:9090")], [200, 200]);
  assertEquals(await status("evil.example.com:9090"), 403);
});

Deno.test("a foreign page may not make changes; the dashboard itself and clients without an Origin may", async () => {
  await using admin = administer(configTo(9));
  const status = async (origin?: string) => {
    const headers = origin === undefined ? {} : { origin };
    return (await admin.ask("/api/v1/reload", { method: "POST", headers })).status;
  };
  assertEquals([await status(), await status("http://127.0.0.1:9090")], [200, 200]);
  for (
    const origin of ["https://evil.example.com", "null", "http://127.0.0.1:9091", "http://localhost:9090"]
  ) {
    assertEquals(await status(origin), 403, origin);
  }
  assertEquals(
    (await admin.ask("/api/v1/connections?id=1", { method: "DELETE", headers: { origin: "null" } })).status,
    403,
  );
});

Deno.test("behind a proxy the configured origins may make changes, and their hosts are accepted", async () => {
  const origins = ["https://admin.example.com", "https://other.example.com:8443"];
  await using admin = administer(configTo(9), { origins });
  const status = async (host: string, origin: string) => {
    const init = { method: "POST", headers: { origin } };
    const response = await admin.ask("/api/v1/reload", init, host);
    await response.body?.cancel();
    return response.status;
  };
  for (const host of ["admin.example.com", "other.example.com:8443", "127.0.0.1:9090"]) {
    assertEquals(await status(host, "https://admin.example.com"), 200, host);
  }
  assertEquals(await status("evil.example.com", "https://admin.example.com"), 403);
  for (const origin of ["http://admin.example.com", "https://other.example.com", "null"]) {
    assertEquals(await status("127.0.0.1:9090", origin), 403, origin);
  }
});

Deno.test("without the token nothing is changed; its file is read for each request", async () => {
  await using token = await tokenFile(`${TOKEN}\n`);
  await using admin = administer(configTo(9), { tokenFile: token.file });
  const ask = (authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization };
    return admin.ask("/api/v1/reload", { method: "POST", headers });
  };
  for (
    const wrong of [undefined, "", "Bearer", `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`]
  ) {
    const response = await ask(wrong);
    assertEquals([response.status, response.headers.get("www-authenticate")], [401, "Bearer"], wrong);
  }
  assertEquals((await ask(`Bearer ${TOKEN}`)).status, 200);
  assertEquals((await ask(`bearer  ${TOKEN} `)).status, 200);
  assertEquals((await admin.ask("/api/v1/status")).status, 200);
  await Deno.writeTextFile(token.file, TOKEN.toUpperCase());
  assertEquals((await ask(`Bearer ${TOKEN}`)).status, 401);
  assertEquals((await ask(`Bearer ${TOKEN.toUpperCase()}`)).status, 200);
});

Deno.test("a token file that has become unusable refuses everything, with the reason", async () => {
  await using token = await tokenFile("short");
  await using admin = administer(configTo(9), { tokenFile: token.file });
  const headers = { authorization: "Bearer short" };
  const response = await admin.ask("/api/v1/reload", { method: "POST", headers });
  assertEquals(response.status, 500);
  assertMatch((await response.json()).error, /token: expected one token of at least 16/);
});

Deno.test("every answer forbids framing, sniffing and foreign scripts", async () => {
  await using admin = administer(configTo(9));
  for (const path of ["/healthz", "/nothing", "/api/v1/status"]) {
    const { headers, body } = await admin.ask(path);
    await body?.cancel();
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    const policy = headers.get("content-security-policy") ?? "";
    assertMatch(policy, /default-src 'none'.*frame-ancestors 'none'/);
    assertEquals(policy.includes("unsafe"), false);
  }
});
