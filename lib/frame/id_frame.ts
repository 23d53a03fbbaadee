/** The ID frame: the first frame of a connection, with the client's ID. */

import { isDisconnect, Refusal } from "../errors.ts";
import type { Duplex } from "../transport/duplex.ts";
import { looksLikeProxyHeader, startsLike } from "../transport/proxy_protocol/header.ts";
import { FrameReader } from "./reader.ts";
import { decodeId, type Frame, FrameError, FrameType, HEADER_BYTES, readHeader } from "./tlv.ts";

/** A client's ID, and every byte received from the client so far. */
export interface IdFrame {
  readonly id: string;
  /** The ID frame and the bytes received after it. */
  readonly bytes: Uint8Array;
  /** Length of the ID frame at the start of `bytes`. */
  readonly frameBytes: number;
}

/**
 * Reads the ID frame, with no read after the one that completes it.
 *
 * Resolves to null if the peer closes or resets without sending a byte: a probe, not an error.
 *
 * @param options.idBytes Maximum length of an ID; a longer one is refused on its frame's header alone.
 * @param options.opening The first bytes, if they have been read already.
 * @throws {Refusal} BAD_FRAME or ID_EXPECTED (docs/protocol.md).
 */
export async function readIdFrame(
  source: Pick<Duplex, "read">,
  options: { idBytes: number; opening?: Uint8Array },
): Promise<IdFrame | null> {
  const reader = new FrameReader(source, { maxValueBytes: options.idBytes, opening: options.opening });
  try {
    for await (const frame of reader) return accept(frame, reader.buffered);
  } catch (error) {
    if (isDisconnect(error) && reader.rest.length === 0) return null;
    throw error instanceof FrameError ? refusal(error, reader.rest) : error;
  }
  if (reader.rest.length === 0) return null;
  throw new Refusal(
    "BAD_FRAME",
    `the connection ended inside the ID frame, after ${reader.rest.length} bytes`,
  );
}

function accept({ type, value }: Frame, bytes: Uint8Array): IdFrame {
  if (type !== FrameType.ID) throw idExpected(type);
  return { id: decodeId(value), bytes, frameBytes: HEADER_BYTES + value.length };
}

/** The length limit applies to IDs: a longer frame of another known type is ID_EXPECTED. */
function refusal(error: FrameError, bytes: Uint8Array): Refusal {
  const type = readHeader(bytes)?.type;
  if (error.problem === "too_long" && type !== undefined && type !== FrameType.ID) return idExpected(type);
  // no bytes are left if the frame is complete and its value is invalid
  const hint = bytes.length > 0 ? otherProtocol(bytes) : "";
  return new Refusal("BAD_FRAME", `not an ID frame: ${error.message}${hint}`);
}

/** The start of a TLS handshake record (RFC 8446, section 5.1), of any version. */
const TLS_HANDSHAKE = Uint8Array.of(0x16, 0x03);

/** A hint about the protocol that the client seems to speak instead. */
function otherProtocol(bytes: Uint8Array): string {
  if (startsLike(bytes, TLS_HANDSHAKE)) return "; it looks like TLS, which this listener does not speak";
  if (!looksLikeProxyHeader(bytes)) return "";
  return "; it looks like a PROXY header, which needs a listener with proxy_protocol and a trusted proxy";
}

function idExpected(type: number): Refusal {
  const name = type === FrameType.DATA ? "DATA" : "ERROR";
  return new Refusal(
    "ID_EXPECTED",
    `the first frame must be an ID frame (type 1), not ${name} (type ${type})`,
  );
}
