import type { LogRecord } from "@logtape/logtape";
import { jsonLine, textLine, timestamp } from "../../lib/observe/log_line.ts";
import { assert, assertEquals } from "../assert.ts";

function recordOf(properties: Record<string, unknown>): LogRecord {
  const message = ["access"];
  return { category: ["switchyard"], level: "info", message, rawMessage: "access", timestamp: 0, properties };
}

for (const line of [jsonLine, textLine]) {
  Deno.test(`${line.name}: no value can forge a line, a terminal command or a change of direction`, () => {
    for (
      const id of ["a\nb", "a\r", "\u001b[31m", "\u2028", "\u2029", "\u202e", "\u061c", "\u0085", "\u0000"]
    ) {
      const text = line(recordOf({ id }));
      assertEquals(text.slice(0, -1).match(/[\p{Cc}\u061c\u2028-\u202e]/gu), null);
      assert(text.endsWith("\n"));
    }
  });
}

Deno.test("a text line quotes values that are not one plain word, and omits unknown ones", () => {
  const line = textLine(recordOf({ id: 'a" reason="client_fin', route: null, conn: 7 }));
  assertEquals(line, `1970-01-01T00:00:00.000Z INFO    access id="a\\" reason=\\"client_fin" conn=7\n`);
});

Deno.test("a time is written as by Date, after any other time", () => {
  for (const time of [0, 999, 1000, 1_795_000_000_007, 1_795_000_000_070, 1_795_000_001_000, 5]) {
    assertEquals(timestamp(time), new Date(time).toISOString());
  }
});
