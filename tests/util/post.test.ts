import { postJson, withoutSecrets } from "../../lib/util/post.ts";
import { assertEquals, assertMatch, assertRejects } from "../assert.ts";

function startServer(respond: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, respond);
  return {
    url: `http://127.0.0.1:${server.addr.port}/hook?key=secret`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("a body is posted as JSON, with further headers", async () => {
  const got: unknown[] = [];
  await using server = startServer(async (request) => {
    const { method, headers } = request;
    got.push(method, headers.get("content-type"), headers.get("x-more"), await request.text());
    return new Response(null, { status: 204 });
  });
  await postJson(server.url, "{}", { timeout: 10_000, headers: { "x-more": "1" } });
  assertEquals(got, ["POST", "application/json", "1", "{}"]);
});

Deno.test("errors quote the failed answer, and not the URL", async () => {
  const answer = (response: Response) => async () => {
    await using server = startServer(() => response);
    await postJson(server.url, "{}", { timeout: 10_000 });
  };
  const failed = await assertRejects(answer(new Response("no", { status: 503 })), Error);
  assertMatch(failed.message, /^it answered 503/);
  const redirect = new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } });
  await assertRejects(answer(redirect), Error);
  const refused = await assertRejects(
    () => postJson("http://127.0.0.1:1/?key=secret", "{}", { timeout: 10_000 }),
    Error,
  );
  assertEquals(refused.message.includes("secret"), false);
});

Deno.test("a server that does not answer fails after the timeout", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${silent.addr.port}/`;
  const error = await assertRejects(() => postJson(url, "{}", { timeout: 30 }), Error);
  assertEquals(error.message, "no answer within 30ms");
});

Deno.test("a URL is shown without secrets", () => {
  assertEquals(withoutSecrets("https://user:pass@h.example.com/a?b=c#d"), "https://h.example.com/a");
});
