import fc from "fast-check";
import { encodeProxyHeader, parseProxyHeader, V2_BYTES } from "../../lib/transport/proxy_protocol/header.ts";
import { assert, assertEquals } from "../assert.ts";
import { concat } from "../bytes.ts";

const port = fc.integer({ min: 0, max: 65535 });
const endpoint = fc.record({ hostname: fc.oneof(fc.ipV4(), fc.ipV6()), port });
const header = fc.tuple(fc.constantFrom("v1", "v2"), endpoint, endpoint)
  .map(([version, source, destination]) => encodeProxyHeader(version, { source, destination }));
/** Valid headers, headers with some changed bytes, and noise that begins like a header. */
const input = fc.oneof(
  fc.tuple(header, fc.uint8Array({ maxLength: 40 })).map((parts) => concat(...parts)),
  fc.tuple(header, fc.nat(200), fc.integer({ min: 0, max: 255 })).map(([bytes, at, byte]) => {
    const changed = bytes.slice();
    changed[at % changed.length] = byte;
    return changed;
  }),
  fc.tuple(header, fc.nat(16), fc.uint8Array({ maxLength: 5000 })).map(([bytes, end, noise]) =>
    concat(bytes.subarray(0, end), noise)
  ),
);

Deno.test("a PROXY header gives the same outcome at every cut, and never a greater length", () => {
  fc.assert(fc.property(input, (bytes) => {
    const whole = parseProxyHeader(bytes);
    let settled: unknown;
    for (let cut = 0; cut <= Math.min(bytes.length, 300); cut++) {
      const outcome = parseProxyHeader(bytes.subarray(0, cut));
      if (settled !== undefined) assertEquals(outcome, settled);
      else if (outcome.kind !== "incomplete") settled = outcome;
    }
    if (settled !== undefined) assertEquals(whole, settled);
    if (whole.kind === "complete") assert(whole.length <= V2_BYTES);
    if (bytes.length >= V2_BYTES) assert(whole.kind !== "incomplete");
  }));
});
