import { Presence, whenGone } from "../../lib/workers/presence.ts";
import { assertEquals } from "../assert.ts";

Deno.test("a thread is gone once its port is free", async () => {
  const presence = new Presence();
  const { port } = presence;
  assertEquals(await whenGone(port, AbortSignal.abort()), false);
  const gone = whenGone(port, new AbortController().signal);
  presence[Symbol.dispose]();
  assertEquals(await gone, true);
});
