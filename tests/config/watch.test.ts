import { FileWatch } from "../../lib/config/watch.ts";
import { assert, assertEquals } from "../assert.ts";
import { pause, until } from "../wait.ts";

/** A watch on a file in a folder of its own. */
async function watched(checkMs?: number) {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/routes.yaml`;
  await Deno.writeTextFile(file, "first");
  const heard = { changes: 0, problems: [] as string[] };
  const watch = await FileWatch.create(file, checkMs === undefined ? {} : { checkMs });
  const start = () =>
    watch.start({
      onChange: () => heard.changes++,
      onBlind: (problem) => void heard.problems.push(problem),
    });
  return {
    folder,
    file,
    heard,
    watch,
    start,
    async [Symbol.asyncDispose]() {
      await watch[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("a change of another file in the folder is no change", async () => {
  await using it = await watched(100);
  it.start();
  for (let round = 0; round < 5; round++) {
    await Deno.writeTextFile(`${it.folder}/other`, String(round));
    await pause(60);
  }
  assertEquals(it.heard, { changes: 0, problems: [] });
});

/** Time for which a file has to stay the same, and a little less, in milliseconds. */
const SETTLED_MS = 90;

Deno.test("a file that is written piece by piece is one change, once it is complete", async () => {
  await using it = await watched();
  it.start();
  // a busy machine pauses for longer than requested: then the file counts as complete
  let interrupted = 0;
  let last = performance.now();
  for (let round = 0; round < 20; round++) {
    const begun = performance.now();
    await Deno.writeTextFile(it.file, "x", { append: true });
    if (performance.now() - last > SETTLED_MS) interrupted += 1;
    last = begun;
    await pause(20);
  }
  if (performance.now() - last > SETTLED_MS) interrupted += 1;
  assert(it.heard.changes <= interrupted, `${it.heard.changes} changes while it was being written`);
  await until(() => it.heard.changes > 0, "the change is told");
  assert(it.heard.changes <= 1 + interrupted, `${it.heard.changes} changes`);
});

Deno.test("a change between reading the file and watching it is not missed", async () => {
  await using it = await watched();
  await Deno.writeTextFile(it.file, "second");
  it.start();
  await until(() => it.heard.changes === 1, "the change is told");
});

Deno.test("content that has been read already is no change; later content is", async () => {
  await using it = await watched(20);
  it.start();
  await Deno.writeTextFile(it.file, "second, which a signal has brought");
  await it.watch.know();
  await pause(400);
  assertEquals(it.heard.changes, 0);
  await Deno.writeTextFile(it.file, "third");
  await until(() => it.heard.changes === 1, "the change is told");
});

Deno.test("a change that the folder's watch does not report is found by polling", async () => {
  await using elsewhere = await watched();
  await using it = await watched(100);
  await Deno.remove(it.file);
  await Deno.symlink(elsewhere.file, it.file);
  it.start();
  await until(() => it.heard.changes === 1, "the link is seen");
  await Deno.writeTextFile(elsewhere.file, "longer than before");
  await until(() => it.heard.changes === 2, "what it leads to is seen");
});

Deno.test("a folder that was removed is reported once, and found again by polling", async () => {
  await using it = await watched(100);
  await Deno.remove(it.folder, { recursive: true });
  it.start();
  await until(() => it.heard.changes === 1, "the file is gone");
  assertEquals(it.heard.problems.length, 1);
  await Deno.mkdir(it.folder);
  await Deno.writeTextFile(it.file, "back");
  await until(() => it.heard.changes === 2, "the file is back");
});
