import { countOpen, sumOfOpen } from "../../lib/observe/open_counts.ts";
import { assertEquals } from "../assert.ts";

const upstream = { host: "::1", port: 7 };

Deno.test("open connections are counted by transport, and by upstream once they are relayed", () => {
  const counts = countOpen([
    { transport: "tcp", upstream, connectedAt: 1 },
    { transport: "tcp", upstream, connectedAt: undefined },
    { transport: "websocket", upstream: undefined, connectedAt: undefined },
  ]);
  assertEquals(counts, { transports: { tcp: 2, websocket: 1 }, upstreams: new Map([["[::1]:7", 1]]) });
  assertEquals(sumOfOpen([structuredClone(counts), counts]), {
    transports: { tcp: 4, websocket: 2 },
    upstreams: new Map([["[::1]:7", 2]]),
  });
});
