/** A raw WebSocket client: it sends arbitrary bytes, and parses frames itself. */

import { assertEquals, assertStringIncludes } from "../../assert.ts";
import { concat, send } from "../../bytes.ts";

/** The key of the example in the RFC, and its accept value (section 1.3). */
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** A valid handshake, with some fields replaced or added. */
export function request(
  changes: Readonly<Record<string, string | readonly string[]>> = {},
  start = "GET / HTTP/1.1",
): string {
  const fields: Record<string, string | readonly string[]> = {
    "Host": "127.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    ...changes,
  };
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}`)
  );
  return [start, ...lines, "", ""].join("\r\n");
}

/** One frame of the server. */
export interface ServerFrame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** The client. It reads the server's frames in order. */
export class RawWebSocket implements Disposable {
  readonly conn: Deno.TcpConn;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array();

  private constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  /** Connects and does the handshake; `first` goes out with it. */
  static async open(port: number, first: Uint8Array = new Uint8Array()): Promise<RawWebSocket> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const socket = new RawWebSocket(conn);
    await send(conn, concat(new TextEncoder().encode(request()), first));
    const head = await socket.head();
    assertStringIncludes(head, "HTTP/1.1 101 ");
    assertStringIncludes(head, `\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`);
    return socket;
  }

  async send(...frames: Uint8Array[]): Promise<void> {
    await send(this.conn, concat(...frames));
  }

  /** The head of the HTTP response. */
  async head(): Promise<string> {
    for (;;) {
      const text = new TextDecoder().decode(this.#bytes);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#bytes = this.#bytes.slice(end + 4);
        return text.slice(0, end + 2);
      }
      await this.#more();
    }
  }

  /** The next frame, or null at EOF. */
  async frame(): Promise<ServerFrame | null> {
    if (!await this.#need(2)) return null;
    const [first = 0, second = 0] = this.#bytes;
    assertEquals(second & 0x80, 0, "a server does not mask");
    const width = second < 126 ? 0 : second === 126 ? 2 : 8;
    if (!await this.#need(2 + width)) return null;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
    const length = width === 0 ? second : width === 2 ? view.getUint16(2) : Number(view.getBigUint64(2));
    const start = 2 + width;
    if (!await this.#need(start + length)) return null;
    const payload = this.#bytes.slice(start, start + length);
    this.#bytes = this.#bytes.slice(start + length);
    assertEquals(first & 0x70, 0, "no reserved bits");
    return { opcode: first & 0x0f, fin: (first & 0x80) !== 0, payload };
  }

  /** All frames up to EOF or a reset. */
  async frames(): Promise<ServerFrame[]> {
    const frames: ServerFrame[] = [];
    for (let frame; (frame = await this.frame());) frames.push(frame);
    return frames;
  }

  /** The payload of data frames up to EOF, and the code of the close frame that ended it. */
  async rest(): Promise<{ payload: Uint8Array<ArrayBuffer>; code: number | "no code" | undefined }> {
    const frames = await this.frames();
    const close = frames.find(({ opcode }) => opcode === 8);
    if (close) assertEquals(frames.at(-1), close, "nothing behind a close frame");
    const payload = concat(...frames.filter(({ opcode }) => opcode < 8).map(({ payload }) => payload));
    return { payload, code: close && codeOf(close) };
  }

  [Symbol.dispose](): void {
    this.conn[Symbol.dispose]();
  }

  async #need(length: number): Promise<boolean> {
    while (this.#bytes.length < length) if (!await this.#more()) return false;
    return true;
  }

  async #more(): Promise<boolean> {
    const chunk = new Uint8Array(256 << 10);
    const count = await this.conn.read(chunk);
    if (count !== null) this.#bytes = concat(this.#bytes, chunk.subarray(0, count));
    return count !== null;
  }
}

/** The code of a close frame. */
export function codeOf({ payload }: ServerFrame): number | "no code" {
  const [high, low] = payload;
  return high === undefined || low === undefined ? "no code" : high * 256 + low;
}
