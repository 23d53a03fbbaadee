import { ReservedPorts } from "../../lib/workers/reserved_ports.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const hostname = "127.0.0.1";

Deno.test("a reserved port is open already, and its socket is handed out once", () => {
  const ports = new ReservedPorts();
  const { port } = ports.reserve(hostname);
  assertThrows(() => Deno.listen({ hostname, port }), Deno.errors.AddrInUse);
  const options = { hostname, port, tcpBacklog: 16, reusePort: true };
  using first = ports.listen(options);
  using second = ports.listen(options);
  assertEquals([first.addr, second.addr].map((addr) => addr.port), [port, port]);
  // what was handed out is not released
  ports.release();
  assertThrows(() => Deno.listen({ hostname, port }), Deno.errors.AddrInUse);
});

Deno.test("a reserved port that is not used is free once it is released", () => {
  const ports = new ReservedPorts();
  const { port } = ports.reserve(hostname);
  ports.release();
  Deno.listen({ hostname, port }).close();
});
