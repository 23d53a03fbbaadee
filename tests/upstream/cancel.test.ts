import { connectCanceller } from "../../lib/upstream/cancel.ts";
import { sleep } from "../../lib/util/async.ts";
import { assertEquals } from "../assert.ts";
import { startUpstream } from "../upstreams.ts";

// the leak check of the test runner fails if a cancelled connect leaks its socket
Deno.test("a connect that is cancelled just as it succeeds leaks no socket", async () => {
  await using upstream = startUpstream(async () => {});
  for (let round = 0; round < 50; round++) {
    const canceller = connectCanceller();
    const attempts = Array.from({ length: 20 }, () => {
      return Deno.connect({ hostname: "127.0.0.1", port: upstream.port, signal: canceller.signal });
    });
    const cancelled = sleep(0).then(() => canceller.abort());
    for (const attempt of await Promise.allSettled(attempts)) {
      if (attempt.status === "fulfilled") attempt.value.close();
      else assertEquals(attempt.reason.constructor, Deno.errors.Interrupted);
    }
    await cancelled;
  }
});
