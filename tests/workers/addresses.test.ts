import { Addresses } from "../../lib/workers/addresses.ts";
import { ReservedPorts } from "../../lib/workers/reserved_ports.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { freePort } from "../sockets.ts";

const at = (port: number) => ({ address: { host: "127.0.0.1", port } });

/** Addresses whose free ports are reserved here; disposing of it releases them. */
function addressesHere() {
  const ports = new ReservedPorts();
  const addresses = new Addresses((host) => Promise.resolve(ports.reserve(host)));
  return { addresses, [Symbol.dispose]: () => ports.release() };
}

Deno.test("workers receive the ports that the system chose, which survive a reload", async () => {
  using here = addressesHere();
  const { addresses } = here;
  const fixed = freePort();
  const prepared = await addresses.prepare([at(0), at(0), at(fixed)]);
  const ports = prepared.listeners.map(({ address }) => address.port);
  assertEquals([new Set(ports).size, ports[2]], [3, fixed]);
  assertEquals(addresses.all, []);
  prepared.commit();
  assertEquals(addresses.all.map(({ port }) => port), ports);
  const again = await addresses.prepare([at(0)]);
  assertEquals(again.listeners[0]?.address.port, ports[0]);
});

Deno.test("an address in use by another program is an error that names it, and nothing is left open", async () => {
  using here = addressesHere();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
  const { port } = taken.addr as Deno.NetAddr;
  const free = freePort();
  const error = await assertRejects(() => here.addresses.prepare([at(free), at(port)]), Error);
  assert(
    error.message.startsWith(`cannot listen on 127.0.0.1:${port}: the address is in use`),
    error.message,
  );
  Deno.listen({ hostname: "127.0.0.1", port: free }).close();
});
