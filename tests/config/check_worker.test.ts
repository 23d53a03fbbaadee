import { CheckWorker } from "../../lib/config/check_worker.ts";
import { UsageError } from "../../lib/errors.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

function source(text: string) {
  return { file: "routes.yaml", bytes: new TextEncoder().encode(text) };
}

Deno.test("a worker checks one configuration after the other, and gives its problems as data", async () => {
  using worker = new CheckWorker();
  const { problems } = await assertRejects(() => worker.ask(source("routes: {}"), "config"), UsageError);
  assertEquals(problems, ["routes.yaml:1:9: routes: found a mapping, expected a list of routes"]);
  for (const id of ["a", "b"]) {
    await worker.ask(source(`routes: [{ id: ${id}, host: a, port: 1 }]`), "config");
    const { routes, more } = await worker.ask({ next: true }, "routes");
    assertEquals([routes.map((route) => route.id), more], [[id], false]);
    worker.release();
  }
});

Deno.test("a worker that has failed is unusable, and one that is disposed of answers nothing more", async () => {
  using failing = new CheckWorker();
  const { message } = await assertRejects(() => failing.ask({ next: true }, "routes"), Error);
  assertEquals(message, "the configuration could not be checked: the worker has no configuration yet");
  assert(failing.isBroken);
  await assertRejects(() => failing.ask(source("routes: []"), "config"), Error);
  const ended = new CheckWorker();
  const answer = ended.ask(source("routes: []"), "config");
  ended[Symbol.dispose]();
  await assertRejects(() => answer, Error, "the check of the configuration was cancelled");
});
