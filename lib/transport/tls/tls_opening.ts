/**
 * The first bytes of a TLS client.
 *
 * In TLS 1.3 a client may send its first data along with the last record of its handshake. The server answers that
 * record with session tickets, and the platform then holds back whatever small it has to send (Nagle's algorithm, which
 * cannot be turned off there) until the tickets are acknowledged: after 40 ms, unless something is sent the other way
 * meanwhile. So the first data are passed on once the tickets have come: they bring the acknowledgement along.
 */

import { sleep } from "../../util/async.ts";
import { type Duplex, type Flow, writeAll } from "../duplex.ts";

/** What a record that is encrypted is told by, from TLS 1.3's first one on (RFC 8446, section 5.2). */
const ENCRYPTED = 0x17;

const HEADER_BYTES = 5;

/** How long the tickets may take, in milliseconds; some servers' settings send none. */
const TICKETS_MS = 10;

/**
 * Passes on what the client says up to the end of its handshake, and leaves the rest to be read from `raw`.
 *
 * @param down Counts what moves the other way meanwhile.
 */
export async function passOpening(raw: Duplex, hop: Duplex, down: Flow): Promise<void> {
  const hello = await receive(raw);
  await writeAll(hop, hello);
  const answer = await receive(raw);
  const end = endOfHandshake(answer);
  const before = down.read;
  await writeAll(hop, answer.subarray(0, end));
  if (end === answer.length) return;
  raw.unread(answer.subarray(end));
  for (let waited = 0; waited < TICKETS_MS && down.read === before; waited++) await sleep(1);
}

/** Where the first encrypted record in `bytes` ends, which is the handshake's last; all of them where none does. */
export function endOfHandshake(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const end = at + HEADER_BYTES + view.getUint16(at + 3);
    if (view.getUint8(at) === ENCRYPTED) return Math.min(end, bytes.length);
    at = end;
  }
  return bytes.length;
}

/** What comes next; nothing at the end, which can be read again. */
async function receive(raw: Duplex): Promise<Uint8Array> {
  const buffer = new Uint8Array(16 << 10);
  const count = await raw.read(buffer) ?? 0;
  return buffer.subarray(0, count);
}
