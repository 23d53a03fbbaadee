/** The acceptance server: receives an ID and numbers, and answers with a receipt. */

import type { HostPort } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { FrameReader } from "../frame/reader.ts";
import { decodeId, encodeFrame, FrameType } from "../frame/tlv.ts";
import { writeAll } from "../transport/duplex.ts";
import { DuplexReadable } from "../transport/streams.ts";
import { TcpDuplex } from "../transport/tcp.ts";
import { acceptEach } from "../transport/accept_loop.ts";
import { type Receipt, Tally } from "./receipt.ts";

/** Longest DATA value accepted: far more than a number needs. */
const MAX_VALUE_BYTES = 64 << 10;

/** Callbacks for each connection that ends. */
export interface ServerEvents {
  onReceipt?: (receipt: Receipt) => void;
  /** A connection broke, or sent something other than an ID and numbers; it got no receipt. */
  onFailure?: (problem: string) => void;
}

/** Modes of a server: answer with a receipt, send received bytes back, or drop them. */
export type ServerMode = "receipt" | "echo" | "sink";

/** A running server. */
export class AcceptanceServer implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #accepting: Promise<void>;
  readonly #open = new Map<TcpDuplex, Promise<void>>();

  /** Listens on `address`; port 0 lets the system choose. */
  constructor(address: HostPort, mode: ServerMode = "receipt", events: ServerEvents = {}) {
    this.#listener = Deno.listen({ hostname: address.host, port: address.port });
    this.#accepting = acceptEach(this.#listener, (conn) => {
      const peer = new TcpDuplex(conn);
      this.#open.set(peer, this.#serve(peer, mode, events));
    });
  }

  get address(): Deno.NetAddr {
    return this.#listener.addr;
  }

  /** Stops listening, ends every connection and waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const peer of this.#open.keys()) peer.close();
    await Promise.all(this.#open.values());
  }

  async #serve(peer: TcpDuplex, mode: ServerMode, events: ServerEvents): Promise<void> {
    try {
      if (mode === "receipt") {
        const receipt = await answerWithReceipt(peer);
        events.onReceipt?.(receipt);
      } else if (mode === "echo") await new DuplexReadable(peer).pipeTo(peer);
      else await new DuplexReadable(peer).pipeTo(new WritableStream());
    } catch (error) {
      events.onFailure?.(messageOf(error));
    } finally {
      peer.close();
      this.#open.delete(peer);
    }
  }
}

/**
 * Reads an ID and numbers up to FIN, or up to an empty DATA frame, and answers. The empty frame is for clients that
 * cannot shut down their sending side and still receive, such as a browser's WebSocket.
 *
 * @throws Error for anything else.
 */
async function answerWithReceipt(peer: TcpDuplex): Promise<Receipt> {
  const reader = new FrameReader(peer, { maxValueBytes: MAX_VALUE_BYTES });
  const tally = new Tally();
  let id: string | undefined;
  for await (const { type, value } of reader) {
    if (id === undefined && type === FrameType.ID) id = decodeId(value);
    else if (id !== undefined && type === FrameType.DATA && value.length === 0) break;
    else if (id !== undefined && type === FrameType.DATA) tally.add(value);
    else throw new Error(`unexpected frame of type ${type}`);
  }
  if (id === undefined) throw new Error("the connection ended before an ID frame");
  if (reader.rest.length > 0) {
    throw new Error(
      `ID ${JSON.stringify(id)}: ${reader.rest.length} bytes at the end are not a whole frame`,
    );
  }
  const receipt = tally.receipt(id);
  await writeAll(peer, encodeFrame(FrameType.DATA, new TextEncoder().encode(JSON.stringify(receipt))));
  return receipt;
}
