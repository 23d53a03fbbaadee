import { SharedTable } from "../../lib/tables/shared_table.ts";
import { assert, assertEquals, assertLess } from "../assert.ts";
import { sized } from "../soak.ts";
import { lines, tableOf } from "../tables.ts";
import { pause } from "../wait.ts";

const IDS = sized(1_000_000);

Deno.test("an ID is found with its file, its line and its target, and no other is", () => {
  const table = tableOf("# first\n1\ta\t7\n", "__proto__\teu\nü\ufffd\t::1\t8\n");
  assertEquals(table.find("1"), { id: "1", file: "0.tsv", line: 2, target: { host: "a", port: 7 } });
  assertEquals(table.find("__proto__"), {
    id: "__proto__",
    file: "1.tsv",
    line: 1,
    target: { pool: "eu" },
  });
  assertEquals(table.find("ü\ufffd")?.line, 2);
  // a broken surrogate must not match the replacement character that it becomes in UTF-8
  const unknown = ["", "2", "11", "constructor", "ü\ud800", "__proto__ ", "1\t", "1\ta", "x".repeat(70_000)];
  assertEquals(unknown.filter((id) => table.has(id)), []);
});

Deno.test("an empty table has no ID", () => {
  const table = tableOf("# none\n");
  assertEquals([table.size, table.has("1"), [...table.entries()].length], [0, false, 0]);
});

Deno.test(`each of ${IDS} similar IDs is found within a few slots`, () => {
  const table = tableOf(lines(IDS));
  assertEquals(table.size, IDS);
  for (let index = 0; index < IDS; index += 7) assertEquals(table.find(`d${index}`)?.line, index + 1);
  const slots = new Uint32Array(table.data.slots);
  let [run, longest] = [0, 0];
  for (let at = 1; at < slots.length; at += 3) {
    run = slots[at] === 0 ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  assertLess(longest, 400);
});

Deno.test("another thread finds the same entries in the same memory", async () => {
  const { data } = tableOf(lines(3));
  const { promise, resolve } = Promise.withResolvers<typeof data>();
  const source = "onmessage = ({ data }) => postMessage(data)";
  const worker = new Worker(`data:application/javascript,${encodeURIComponent(source)}`, { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.postMessage(data);
  const back = await promise;
  worker.terminate();
  new Uint8Array(data.text)[0] = 0x65;
  assertEquals(new SharedTable(back).has("d0"), false);
  assertEquals(new SharedTable(back).find("d2")?.line, 3);
});

Deno.test("entries can be listed from a position on", () => {
  assertEquals([...tableOf(lines(10)).entries(8)].map(({ id }) => id), ["d8", "d9"]);
});

Deno.test("tables that were replaced are freed", async () => {
  const { data } = tableOf(lines(3));
  let freed = 0;
  const registry = new FinalizationRegistry(() => freed += 1);
  for (let replaced = 0; replaced < 200 && freed === 0; replaced++) {
    const text = new SharedArrayBuffer(64 << 20);
    registry.register(text, undefined);
    new SharedTable({ ...data, text });
    await pause(1);
  }
  assert(freed > 0, "200 tables of 64 MiB are still there");
});
