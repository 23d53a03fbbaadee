/** Settings that a reload changes for connections that are open. */

import { Balancer } from "../lib/balancer.ts";
import { assertEquals } from "./assert.ts";
import { ID, receive, receiveAll, send } from "./bytes.ts";
import { refusalCode } from "./clients.ts";
import { configTo, startBalancer } from "./fixture.ts";
import { startEcho } from "./upstreams.ts";

Deno.test("limits and duplicate_id of a reload apply to connections that are open already", async () => {
  await using upstream = startEcho();
  const config = configTo(upstream.port);
  await using balancer = startBalancer(config);
  const join = async () => {
    const client = await balancer.connect();
    await send(client, ID);
    return client;
  };
  using first = await join();
  await receive(first, ID.length);
  for (
    const stricter of [
      { duplicate_id: "reject" as const },
      { limits: { ...config.limits, connections_per_id: 1 } },
      { limits: { ...config.limits, connections_per_ip: 1 } },
    ]
  ) {
    await balancer.balancer.reload({ ...config, ...stricter });
    using second = await join();
    await second.closeWrite();
    assertEquals(refusalCode(await receiveAll(second)), 6, JSON.stringify(stricter));
  }
  await balancer.balancer.reload({ ...config, duplicate_id: "replace" });
  using second = await join();
  assertEquals((await receiveAll(first)).length, 0, "it gives way");
  assertEquals(await receive(second, ID.length), ID);
});

Deno.test("a reload by the balancer itself is not reported to observers", async () => {
  let reported = 0;
  const observers = [{ reloaded: () => void reported++ }];
  const config = configTo(9);
  await using balancer = Balancer.start(config, { observers });
  await balancer.reload(config, { observed: false });
  assertEquals(reported, 0);
  await balancer.reload(config);
  assertEquals(reported, 1);
});
