import { Presence, whenGone } from "../../lib/workers/presence.ts";
import { assertEquals } from "../assert.ts";
import { until } from "../wait.ts";

Deno.test("a thread has ended once its port is free", async () => {
  const presence = new Presence();
  const { port } = presence;
  assertEquals(await whenGone(port, AbortSignal.abort()), false);
  const gone = whenGone(port, new AbortController().signal);
  presence[Symbol.dispose]();
  assertEquals(await gone, true);
});

Deno.test("a thread counts as running while no socket can be opened to find out", async () => {
  const original = Deno.listenDatagram;
  let tries = 0;
  const fail = () => {
    tries += 1;
    throw new Error("Too many open files (os error 24)");
  };
  Object.defineProperty(Deno, "listenDatagram", { value: fail, configurable: true, writable: true });
  const gone = whenGone(1, new AbortController().signal);
  await until(() => tries > 1, "it is tried again");
  Object.defineProperty(Deno, "listenDatagram", { value: original, configurable: true, writable: true });
  assertEquals(await gone, true);
});
