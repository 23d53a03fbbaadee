import { configTo, startBalancer } from "../fixture.ts";
import { freePort } from "../sockets.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { run } from "./command.ts";

/** An HTTP server that answers every request with `status`, and the requested paths. */
function startAdmin(status: number) {
  const paths: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    paths.push(new URL(request.url).pathname);
    return new Response("draining\n", { status });
  });
  return { address: `127.0.0.1:${server.addr.port}`, paths, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A configuration file with `text`, until disposed of. */
async function configFile(text: string) {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/routes.yaml`;
  await Deno.writeTextFile(file, text);
  return { file, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

Deno.test("a balancer that accepts connections is ready", async () => {
  await using balancer = startBalancer(configTo(freePort()));
  const { status, out, err } = await run("health", "--connect", `127.0.0.1:${balancer.port}`);
  assertEquals([status, out, err], [0, [`ready: 127.0.0.1:${balancer.port} accepts connections`], []]);
});

Deno.test("the listener is found in the configuration; one bound to every address is asked on loopback", async () => {
  await using balancer = startBalancer(configTo(freePort()));
  const listeners = `listeners: [{ address: "0.0.0.0:${balancer.port}" }]\n`;
  await using config = await configFile(`${listeners}routes: [{ id: 1, host: 127.0.0.1, port: 1 }]\n`);
  const { status, out } = await run("health", "-c", config.file);
  assertEquals([status, out], [0, [`ready: 127.0.0.1:${balancer.port} accepts connections`]]);
});

Deno.test("if nothing listens it is not ready", async () => {
  const { status, out, err } = await run("health", "--connect", `127.0.0.1:${freePort()}`);
  assertEquals([status, out.length, err.length], [1, 0, 1]);
  assertMatch(err[0] ?? "", /^not ready: 127\.0\.0\.1:\d+: .*refused/i);
});

Deno.test("--admin requests /readyz of that listener", async () => {
  await using admin = startAdmin(200);
  const { status, out } = await run("health", "--admin", admin.address);
  assertEquals([status, out], [0, [`ready: ${admin.address} answers /readyz with status 200`]]);
  assertEquals(admin.paths, ["/readyz"]);
});

Deno.test("the admin listener of the configuration takes precedence over others", async () => {
  await using admin = startAdmin(200);
  const listeners = `listeners: [{ address: "127.0.0.1:${freePort()}" }]\n`;
  await using config = await configFile(
    `${listeners}admin: { address: "${admin.address}" }\nroutes: [{ id: 1, host: 127.0.0.1, port: 1 }]\n`,
  );
  const { status, out } = await run("health", "-c", config.file);
  assertEquals([status, out], [0, [`ready: ${admin.address} answers /readyz with status 200`]]);
});

Deno.test("a draining balancer is not ready", async () => {
  await using admin = startAdmin(503);
  const { status, err } = await run("health", "--admin", admin.address);
  assertEquals([status, err], [1, [`not ready: ${admin.address}: /readyz answers with status 503`]]);
});

Deno.test("an admin listener that does not answer is not ready once the timeout is over", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${silent.addr.port}`;
  const { status, err } = await run("health", "--admin", address, "--timeout", "50ms");
  assertEquals([status, err], [1, [`not ready: ${address}: no answer within 50ms`]]);
});

Deno.test("a file that has become unusable does not make a running balancer unhealthy", async () => {
  await using config = await configFile("routes: [{ id: 1 }]\n");
  const { status, out, err } = await run("health", "-c", config.file, "--timeout", "2s");
  // something may listen on the default port
  assertEquals(status === 0 ? out.length : err.length - 1, 1);
  assertMatch(err[0] ?? "", /^cannot read the listeners .*routes\[0\]/);
});

Deno.test("--admin and --connect at once, or a timeout without a unit, are wrong", async () => {
  const { status, err } = await run("health", "--admin", ":1", "--connect", ":1", "--timeout", "3");
  assertEquals([status, err.length], [2, 2]);
});
