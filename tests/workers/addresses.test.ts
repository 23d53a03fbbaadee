import { Addresses } from "../../lib/workers/addresses.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { freePort } from "../sockets.ts";

const at = (port: number) => ({ address: { host: "127.0.0.1", port } });

Deno.test("workers receive the ports that the system chose, which survive a reload", () => {
  const addresses = new Addresses();
  const fixed = freePort();
  {
    using prepared = addresses.prepare([at(0), at(0), at(fixed)]);
    const ports = prepared.listeners.map(({ address }) => address.port);
    assertEquals([new Set(ports).size, ports[2]], [3, fixed]);
    assertEquals(addresses.all, []);
    prepared.commit();
    assertEquals(addresses.all.map(({ port }) => port), ports);
  }
  const [first] = addresses.all;
  using again = addresses.prepare([at(0)]);
  assertEquals(again.listeners[0]?.address.port, first?.port);
});

Deno.test("a port that the system chose is held until workers listen, and then free", () => {
  const addresses = new Addresses();
  const prepared = addresses.prepare([at(0)]);
  const port = prepared.listeners[0]?.address.port ?? 0;
  assertThrows(() => Deno.listen({ hostname: "127.0.0.1", port }), Deno.errors.AddrInUse);
  Deno.listen({ hostname: "127.0.0.1", port, reusePort: true }).close();
  prepared[Symbol.dispose]();
  Deno.listen({ hostname: "127.0.0.1", port }).close();
});

Deno.test("an address that another program shares is an error that names it, and nothing is left open", () => {
  const addresses = new Addresses();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
  const { port } = taken.addr as Deno.NetAddr;
  const free = freePort();
  const error = assertThrows(() => addresses.prepare([at(free), at(port)]), Error);
  assert(
    error.message.startsWith(`cannot listen on 127.0.0.1:${port}: the address is in use`),
    error.message,
  );
  Deno.listen({ hostname: "127.0.0.1", port: free }).close();
});
