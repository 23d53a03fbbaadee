import { encodeId } from "../../lib/frame/tlv.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { concat, ID, receive, receiveAll, send } from "../bytes.ts";
import { named } from "../clients.ts";
import { count, LISTENERS, replace, routeTo, said, serve } from "../serving.ts";
import { startEcho, startNamed } from "../upstreams.ts";

Deno.test("a file that is rewritten, renamed over, announced by SIGHUP or behind a link that is swapped is loaded", async (test) => {
  await using first = startNamed("first");
  await using second = startNamed("second");
  const settings = `${LISTENERS}timeouts: { id: 1m }\n`;
  await using serving = await serve("", { text: settings + routeTo(first.port) });
  const { folder, file, balancer } = serving;
  assertEquals(await named(serving, "1"), "first");
  await test.step("rewritten; a client that was silent meanwhile is routed by the new table", async () => {
    using client = await serving.connect();
    await Deno.writeTextFile(file, settings + routeTo(second.port));
    await said(serving, "0 routes added, 1 changed, 0 removed");
    assertEquals(await named(serving, "1"), "second");
    await send(client, encodeId("1"));
    assertEquals(new TextDecoder().decode(await receiveAll(client)), "second");
  });
  await test.step("renamed over", async () => {
    await replace(serving, settings + routeTo(first.port));
    await said(serving, "1 changed", 2);
    assertEquals(await named(serving, "1"), "first");
  });
  await test.step("announced by SIGHUP", async () => {
    balancer.signal("SIGHUP");
    await said(serving, "0 routes added, 0 changed, 0 removed");
  });
  await test.step("behind a link that is swapped, as in a ConfigMap", async () => {
    const version = async (name: string, port: number) => {
      await Deno.mkdir(`${folder}/${name}`);
      await Deno.writeTextFile(`${folder}/${name}/routes.yaml`, settings + routeTo(port));
      await Deno.symlink(name, `${folder}/..data_tmp`);
      await Deno.rename(`${folder}/..data_tmp`, `${folder}/..data`);
    };
    await version("..2026_01", second.port);
    await Deno.symlink("..data/routes.yaml", `${folder}/link`);
    await Deno.rename(`${folder}/link`, file);
    await said(serving, "1 changed", 3);
    assertEquals(await named(serving, "1"), "second");
    await version("..2026_02", first.port);
    await said(serving, "1 changed", 4);
    assertEquals(await named(serving, "1"), "first");
  });
  assertEquals(await balancer.end(), 0);
});

Deno.test("a file that is half-written, invalid or deleted keeps the last valid table and logs one line; the repaired file is loaded", async () => {
  await using first = startNamed("first");
  await using second = startNamed("second");
  await using echo = startEcho();
  await using serving = await serve(
    `routes: [{ id: 1, host: 127.0.0.1, port: ${first.port} }, { id: e, host: 127.0.0.1, port: ${echo.port} }]\n`,
  );
  using beside = await serving.connect();
  await send(beside, encodeId("e"));
  await receive(beside, encodeId("e").length);
  const whole = LISTENERS + routeTo(second.port);
  const bad: Record<string, () => Promise<void>> = {
    "half-written": () => Deno.writeTextFile(serving.file, whole.slice(0, -9)),
    invalid: () => replace(serving, whole.replace("port: ", "port: 1000000")),
    "not UTF-8": () => Deno.writeFile(serving.file, Uint8Array.of(0xff, 0xfe)),
    "a listener's address taken": () =>
      replace(serving, whole.replace('0" }', `0" }, { address: "127.0.0.1:${first.port}" }`)),
    deleted: () => Deno.remove(serving.file),
  };
  let failures = 0;
  for (const [what, damage] of Object.entries(bad)) {
    await damage();
    await said(serving, "reload failed, keeping the previous configuration", ++failures);
    assertEquals(await named(serving, "1"), "first", what);
    await send(beside, Uint8Array.of(failures));
    assertEquals(await receive(beside, 1), Uint8Array.of(failures));
  }
  await Deno.writeTextFile(serving.file, whole);
  await said(serving, "reloaded");
  assertEquals(await named(serving, "1"), "second");
  assertEquals(count(serving, "reload failed"), failures, "one line each");
  assertStringIncludes(serving.balancer.stderr.text, `routes[0].port: found 1000000`);
  assertStringIncludes(serving.balancer.stderr.text, "there is no such file");
});

Deno.test("routes and listeners of the command line are kept over a reload", async () => {
  await using fixed = startNamed("fixed");
  await using first = startNamed("first");
  await using second = startNamed("second");
  const route = (port: number) => `routes: [{ match: "*", host: 127.0.0.1, port: ${port} }]\n`;
  const flags = ["--route", `9=127.0.0.1:${fixed.port}`, "--listen", "127.0.0.1:0"];
  await using serving = await serve(route(first.port), { flags });
  await replace(serving, 'listeners: [{ address: "127.0.0.1:1" }]\n' + route(second.port));
  await said(serving, "1 changed");
  assertEquals(await named(serving, "9"), "fixed");
  assertEquals(await named(serving, "2"), "second");
});

Deno.test("timeouts, forward_id and the log change for connections after a reload", async () => {
  await using upstream = startEcho();
  await using serving = await serve(routeTo(upstream.port));
  using before = await serving.connect();
  await send(before, ID);
  await receive(before, ID.length);
  await replace(
    serving,
    `${LISTENERS}${
      routeTo(upstream.port)
    }forward_id: false\ntimeouts: { idle: 200ms }\nlog: { format: json }\n`,
  );
  await said(serving, "reloaded");
  using after = await serving.connect();
  await send(after, concat(ID, Uint8Array.of(7)));
  assertEquals(
    [...await receiveAll(after)],
    [7],
    "the ID stays here, and the connection ends when it is quiet",
  );
  await said(serving, '"reason":"idle"');
  await send(before, Uint8Array.of(1));
  assertEquals(
    [...await receive(before, 1)],
    [1],
    "an open connection keeps the timeouts that it began with",
  );
});
