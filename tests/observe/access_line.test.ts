import type { LogRecord } from "@logtape/logtape";
import fc from "fast-check";
import { accessRecord, addAccessJson, addAccessText } from "../../lib/observe/access_line.ts";
import { jsonLine, textLine } from "../../lib/observe/log_line.ts";
import { TextBuffer } from "../../lib/observe/text_buffer.ts";
import { assertEquals } from "../assert.ts";
import { connectionWith } from "./connection_info.ts";

type AccessRecord = ReturnType<typeof accessRecord>;

/** The text that `add` adds for `record`. */
function textOf(add: typeof addAccessText, record: AccessRecord): string {
  const text = new TextBuffer();
  add(text, record);
  return new TextDecoder().decode(text.take());
}

/** The log record that corresponds to an access line. */
function recordOf(properties: AccessRecord): LogRecord {
  const message = ["access"];
  const timestamp = Date.parse(properties.time);
  return { category: ["switchyard"], level: "info", message, rawMessage: "access", timestamp, properties };
}

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "a b", 'a" id="b', "\n", "\u202e", "\u2028", "\u{e0001}", "größe", "日本"),
);

const milliseconds = fc.double({ min: 0, max: 1e7, noNaN: true });

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });

const connections = fc.record({
  conn: fc.nat(),
  source: fc.constantFrom(
    { hostname: "192.0.2.7", port: 1 },
    { hostname: "2001:db8::1", port: 65_535 },
    { hostname: "fe80::1%eth0", port: 2 },
  ),
  listener: fc.constantFrom(":8888", "[::]:8888"),
  transport: fc.constantFrom("tcp" as const, "websocket" as const),
  clientSubject: optional(texts),
  id: optional(texts),
  route: optional(texts),
  upstream: optional(fc.record({ host: texts, port: fc.nat(65_535) })),
  attempts: fc.nat(9),
  acceptedAt: milliseconds,
  identifiedAt: optional(milliseconds),
  dialedAt: optional(milliseconds),
  connectedAt: optional(milliseconds),
});

const closings = fc.record({
  reason: fc.constantFrom("client_fin" as const, "UNKNOWN_ID" as const),
  closedBy: fc.constantFrom("client" as const, "balancer" as const),
  detail: optional(texts),
});

Deno.test("an access line equals the log's text of its record, byte for byte", () => {
  fc.assert(fc.property(connections, closings, (changes, why) => {
    const record = accessRecord(connectionWith(changes), why);
    assertEquals(textOf(addAccessText, record), textLine(recordOf(record)));
    assertEquals(textOf(addAccessJson, record), jsonLine(recordOf(record)));
  }));
});

Deno.test("unknown fields are null in JSON and omitted in text; a missing subject or detail is omitted in both", () => {
  const connection = connectionWith({ id: undefined, identifiedAt: undefined });
  const record = {
    ...accessRecord(connection, { reason: "BAD_FRAME", closedBy: "balancer" }),
    time: "2026-11-24T12:00:00.042Z",
    duration_ms: 1.25,
  };
  assertEquals(
    textOf(addAccessText, record),
    "2026-11-24T12:00:00.042Z INFO    access conn=1 client=192.0.2.7:50000 listener=:8888 transport=tcp " +
      "duration_ms=1.25 bytes_up=0 bytes_down=0 attempts=0 reason=BAD_FRAME closed_by=balancer\n",
  );
  assertEquals(
    textOf(addAccessJson, record),
    '{"time":"2026-11-24T12:00:00.042Z","level":"info","message":"access","conn":1,' +
      '"client":"192.0.2.7:50000","listener":":8888","transport":"tcp","id":null,"route":null,' +
      '"upstream":null,"id_ms":null,"connect_ms":null,"duration_ms":1.25,"bytes_up":0,"bytes_down":0,' +
      '"attempts":0,"reason":"BAD_FRAME","closed_by":"balancer"}\n',
  );
});
