import { threadsOf, workersProblem } from "../../lib/workers/count.ts";
import { assertEquals } from "../assert.ts";

Deno.test("auto is a thread for each processor, if the system spreads connections over them", () => {
  assertEquals(threadsOf({ workers: "auto" }, "linux"), navigator.hardwareConcurrency);
  assertEquals(threadsOf({ workers: "auto" }, "darwin"), 1);
  assertEquals(threadsOf({ workers: 3 }, "darwin"), 3);
});

Deno.test("several workers on a system that does not spread connections cause a warning", () => {
  const problems = (["linux", "darwin", "windows"] as const).map((os) => workersProblem({ workers: 2 }, os));
  assertEquals(problems, [
    undefined,
    "workers: 2: only Linux spreads connections over several threads, and this is darwin: use 1",
    "workers: 2: only Linux spreads connections over several threads, and this is windows: use 1",
  ]);
  assertEquals([workersProblem({ workers: 1 }, "darwin"), workersProblem({ workers: "auto" }, "windows")], [
    undefined,
    undefined,
  ]);
});
