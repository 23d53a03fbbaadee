import { assert, assertEquals, assertMatch } from "../assert.ts";
import { run } from "./command.ts";

Deno.test("demo shows three clients whose numbers arrived, in lines that fit a terminal", async () => {
  const { status, out, err } = await run("demo");
  assertEquals([status, err], [0, []]);
  const [where = "", columns = "", ...rows] = out;
  assertMatch(where, /^balancer on 127\.0\.0\.1:\d+, upstreams on 127\.0\.0\.1:\d+ and 127\.0\.0\.1:\d+$/);
  assertMatch(columns, /^client +transport +id +route +upstream +sent +received +verdict$/);
  assertEquals(rows.length, 4);
  for (const [index, transport] of ["tcp", "tcp", "websocket"].entries()) {
    const row = `Client${index + 1} +${transport} +${index + 1} +id ${
      index + 1
    } +127\\.0\\.0\\.1:\\d+ +1000 +1000 +ok`;
    assertMatch(rows[index] ?? "", new RegExp(`^${row}$`));
  }
  assertEquals(rows[3], "3 of 3 clients: count, sum and CRC-32 are the same at both ends");
  assert([columns, ...rows].every((line) => line.length <= 80));
});
