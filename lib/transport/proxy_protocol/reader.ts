/** Reads the PROXY header that a trusted proxy sends ahead of the client's data. */

import { concat } from "../../util/bytes.ts";
import { Refusal } from "../../errors.ts";
import { parseProxyHeader, type ProxiedEndpoints } from "./header.ts";
import { type Duplex, type Endpoint, readFirst } from "../duplex.ts";

/** Larger than most headers, so that one read also gets the client's first bytes. */
const READ_BYTES = 1024;

/** The content of a PROXY header. */
export interface ProxyHeader {
  /** The proxied connection; null if the proxy connects for itself. */
  readonly endpoints: ProxiedEndpoints | null;
}

/**
 * Reads the PROXY header from the proxy at `peer`, and puts back the bytes after it.
 *
 * Resolves to null if the peer closes without sending a byte: a probe, not an error.
 *
 * @throws {Refusal} BAD_FRAME
 */
export async function readProxyHeader(source: Duplex, peer: Endpoint): Promise<ProxyHeader | null> {
  let bytes = new Uint8Array();
  for (;;) {
    const more = await readMore(source, bytes.length === 0);
    if (more === null && bytes.length === 0) return null;
    if (more === null) throw malformed(`the connection ended within it, after ${bytes.length} bytes`);
    bytes = concat([bytes, more]);
    const outcome = parseProxyHeader(bytes);
    if (outcome.kind === "malformed") throw malformed(outcome.why);
    if (outcome.kind === "incomplete") continue;
    source.unread(bytes.subarray(outcome.length));
    return { endpoints: isSame(outcome.endpoints?.source, peer) ? null : outcome.endpoints };
  }
}

/** Some proxies send their own address instead of LOCAL, which version 1 does not have. */
function isSame(source: Endpoint | undefined, peer: Endpoint): boolean {
  return source?.port === peer.port && source.hostname === peer.hostname;
}

async function readMore(source: Duplex, isFirst: boolean): Promise<Uint8Array | null> {
  const buffer = new Uint8Array(READ_BYTES);
  const count = isFirst ? await readFirst(source, buffer) : await source.read(buffer);
  if (count === null) return null;
  return buffer.subarray(0, count);
}

function malformed(why: string): Refusal {
  return new Refusal(
    "BAD_FRAME",
    `no valid PROXY header, which this listener requires from trusted proxies: ${why}`,
  );
}
