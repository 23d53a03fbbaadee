/** A FIFO in place of the configuration blocks its readers, but nothing of the balancer. */

import { assertEquals, assertStringIncludes } from "../assert.ts";
import { start } from "../e2e/processes.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { receive, send } from "../bytes.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { LISTENERS, routeTo, said, serve } from "../serving.ts";

async function makeFifo(file: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [file] }).output();
  assertEquals(success, true);
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name:
    "a FIFO that replaces routes.yaml is refused at a reload, and the repaired file is used; with a FIFO again SIGTERM drains and exits",
  ignore,
  async fn() {
    await using echo = startEcho();
    await using serving = await serve(routeTo(echo.port));
    const { balancer, file, folder } = serving;
    await makeFifo(`${folder}/fifo`);
    await Deno.rename(`${folder}/fifo`, file);
    balancer.signal("SIGHUP");
    await balancer.stderr.until("reload failed, keeping the previous configuration");
    assertStringIncludes(balancer.stderr.text, "is a pipe (FIFO), expected a regular file");
    const client = await serving.connect();
    await send(client, encodeId("1"));
    assertEquals(await receive(client, 6), encodeId("1"));
    await Deno.writeTextFile(`${folder}/new`, LISTENERS + routeTo(echo.port));
    await Deno.rename(`${folder}/new`, file);
    balancer.signal("SIGHUP");
    await balancer.stderr.until("reloaded ");
    await Deno.remove(file);
    await makeFifo(file);
    await said(serving, "reload failed", 2);
    client.close();
    assertEquals(await balancer.end(), 0, "SIGTERM drains and exits with a FIFO in its place");
  },
});

Deno.test({
  name: "a second signal ends the process with exit status 1 with a FIFO in the place of routes.yaml",
  ignore,
  async fn() {
    await using echo = startEcho();
    await using serving = await serve(routeTo(echo.port));
    using client = await serving.connect();
    await send(client, encodeId("1"));
    await receive(client, 6);
    await Deno.remove(serving.file);
    await makeFifo(serving.file);
    await serving.balancer.stderr.until("reload failed");
    serving.balancer.signal("SIGTERM");
    await serving.balancer.stderr.until("draining");
    serving.balancer.signal("SIGTERM");
    assertEquals(await serving.balancer.status(), 1);
  },
});

Deno.test({
  name: "a pipe named on the command line is read once, by check and by serve",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const fifo = `${folder}/fifo`;
    await makeFifo(fifo);
    const text = LISTENERS + routeTo(9);
    await using check = start({ command: [] }, ["check", "-c", fifo]);
    await Deno.writeTextFile(fifo, text);
    assertEquals([await check.status(), check.stderr.text], [0, ""]);
    await using balancer = start({ command: [] }, ["serve", "-c", fifo]);
    await Deno.writeTextFile(fifo, text);
    await balancer.stderr.until("listening on");
    await until(() => balancer.stderr.text.endsWith("\n"), "the line is complete");
    balancer.signal("SIGHUP");
    await balancer.stderr.until("nothing to reload");
    assertEquals(await balancer.end(), 0);
    await Deno.remove(folder, { recursive: true });
  },
});
