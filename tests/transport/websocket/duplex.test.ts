/** The duplex over a carrier that tests control, unlike a socket. */

import { Refusal } from "../../../lib/errors.ts";
import { writeAll } from "../../../lib/transport/duplex.ts";
import { type Carrier, WebSocketDuplex } from "../../../lib/transport/websocket/duplex.ts";
import { WebSocketDecoder } from "../../../lib/transport/websocket/decoder.ts";
import { encodeClose, Opcode } from "../../../lib/transport/websocket/frames.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { concat, noise } from "../../bytes.ts";
import { pause, until } from "../../wait.ts";
import { closing, decode, wire } from "./wire.ts";

const { PING, PONG, CLOSE } = Opcode;

/** A carrier that returns `chunks`, and then waits. It accepts `most` bytes for each write once `gate` is open. */
class Played implements Carrier {
  readonly sent: Uint8Array[] = [];
  readonly most: number;
  gate: Promise<void> = Promise.resolve();
  closed = false;
  readonly #chunks: Uint8Array[];
  #interrupt: ((error: Error) => void) | undefined;

  constructor(chunks: Uint8Array[] = [], most = Infinity) {
    this.#chunks = chunks;
    this.most = most;
  }

  /** Everything that has been written. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return concat(...this.sent);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const chunk = this.#chunks.shift();
    if (!chunk) return new Promise((_, reject) => this.#interrupt = reject);
    buffer.set(chunk);
    return Promise.resolve(chunk.length);
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.gate;
    if (this.closed) throw new Deno.errors.BadResource("closed");
    const taken = bytes.slice(0, this.most);
    this.sent.push(taken);
    return taken.length;
  }

  close(): void {
    this.closed = true;
    this.#interrupt?.(new Deno.errors.Interrupted("closed"));
  }
}

for (const role of ["server", "client"] as const) {
  for (const length of [1, 125, 126, 65535, 65536, 65537, 300_000]) {
    Deno.test(`5.2: ${length} bytes that a ${role} writes arrive whole, even if the carrier accepts a few at a time`, async () => {
      const carrier = new Played([], 1000);
      const payload = noise(length);
      const before = payload.slice();
      await writeAll(new WebSocketDuplex(carrier, role), payload);
      assertEquals(payload, before, "what is written is not changed");
      const out = carrier.bytes;
      const decoder = new WebSocketDecoder({ masked: role === "client" });
      assertEquals(out.slice(0, decoder.unwrap(out)), payload);
    });
  }
}

Deno.test("5.3: a client masks each frame with another key", async () => {
  const carrier = new Played();
  const socket = new WebSocketDuplex(carrier, "client");
  for (let round = 0; round < 20; round++) await socket.write(new Uint8Array(4));
  const keys = carrier.sent.map((frame) => frame.subarray(2, 6).toHex());
  assert(new Set(keys).size > 15, `${keys}`);
});

Deno.test("5.4: frames of concurrent writers are written one after another", async () => {
  const carrier = new Played([concat(wire({ opcode: PING, payload: "p" }), wire({ payload: [1] }))], 3);
  const socket = new WebSocketDuplex(carrier, "server");
  const [first, second] = [noise(50, 1), noise(50, 2)];
  await Promise.all([
    socket.write(first),
    socket.read(new Uint8Array(100)),
    socket.write(second),
    socket.closeWrite(),
  ]);
  const out = carrier.bytes;
  const { payload, closed } = decode([out], false);
  assertEquals(payload, [...first, ...second]);
  assertEquals(closed, 1000);
});

Deno.test("5.5.3: while a pong waits for the carrier, only the latest of further pings is answered next", async () => {
  const pings = Array.from({ length: 100 }, (_, at) => wire({ opcode: PING, payload: [at] }));
  const carrier = new Played(pings);
  const { promise, resolve } = Promise.withResolvers<void>();
  carrier.gate = promise;
  const socket = new WebSocketDuplex(carrier, "server");
  const reading = socket.read(new Uint8Array(200)).catch((error) => error);
  await pause(10);
  resolve();
  await until(() => carrier.sent.length === 2, "both pongs are out");
  assertEquals([...carrier.bytes], [0x8a, 1, 0, 0x8a, 1, 99]);
  socket.close();
  await reading;
});

Deno.test("5.5.1: nothing is sent behind a close frame", async () => {
  const carrier = new Played([concat(wire({ opcode: PING }), wire({ payload: [1] }))]);
  const socket = new WebSocketDuplex(carrier, "server");
  await socket.closeWrite();
  await assertRejects(() => socket.write(Uint8Array.of(1)), Deno.errors.BrokenPipe);
  await socket.read(new Uint8Array(100));
  await socket.closeWrite();
  socket.close();
  assertEquals(carrier.bytes, encodeClose(1000));
});

Deno.test("7.1.1: a silent peer that does not answer the close frame is disconnected", async () => {
  const carrier = new Played([wire({ payload: [1] })]);
  const socket = new WebSocketDuplex(carrier, "server", { closeMs: 50 });
  await socket.closeWrite();
  assertEquals(await socket.read(new Uint8Array(100)), 1);
  const error = await assertRejects(() => socket.read(new Uint8Array(100)), Deno.errors.TimedOut);
  assertEquals(error.message, "no close frame within 50ms");
  assert(carrier.closed);
});

Deno.test("7.1.1: the time of a silent client begins when the carrier has accepted the close frame", async () => {
  const carrier = new Played([wire({ payload: [1] })]);
  const { promise, resolve } = Promise.withResolvers<void>();
  carrier.gate = promise;
  const socket = new WebSocketDuplex(carrier, "server", { closeMs: 50 });
  const closing = socket.closeWrite();
  assertEquals(await socket.read(new Uint8Array(100)), 1);
  const reading = assertRejects(() => socket.read(new Uint8Array(100)), Deno.errors.TimedOut);
  await pause(150);
  assertEquals(carrier.closed, false, "the close frame has not gone out yet");
  resolve();
  await closing;
  await reading;
});

Deno.test("7.1.1: a client that has closed waits for the server's remaining messages, even if they begin late", async () => {
  const carrier = new Played();
  const socket = new WebSocketDuplex(carrier, "client", { closeMs: 20 });
  await socket.closeWrite();
  const reading = assertRejects(() => socket.read(new Uint8Array(100)), Deno.errors.Interrupted);
  await pause(100);
  assertEquals(carrier.closed, false);
  socket.close();
  await reading;
});

Deno.test("7.1.1: the deadline also covers a read that was pending before the close frame went out", async () => {
  const socket = new WebSocketDuplex(new Played(), "server", { closeMs: 50 });
  const reading = socket.read(new Uint8Array(100));
  await socket.closeWrite();
  await assertRejects(() => reading, Deno.errors.TimedOut);
});

Deno.test("reads are served in order, also those made while one is pending", async () => {
  const carrier = new Played([wire({ payload: [1, 2] }), wire({ payload: [3] })]);
  const socket = new WebSocketDuplex(carrier, "server");
  const [first, second] = [new Uint8Array(100), new Uint8Array(100)];
  assertEquals(await Promise.all([socket.read(first), socket.read(second)]), [2, 1]);
  assertEquals([first[0], first[1], second[0]], [1, 2, 3]);
});

Deno.test("bytes that were put back are read again, as far as they fit", async () => {
  const socket = new WebSocketDuplex(new Played([wire({ payload: [4] })]), "server");
  socket.unread(Uint8Array.of(1, 2, 3));
  const buffer = new Uint8Array(2);
  assertEquals(await socket.read(buffer), 2);
  assertEquals([...buffer], [1, 2]);
  assertEquals(await socket.read(buffer), 1);
  assertEquals(buffer[0], 3);
  const large = new Uint8Array(100);
  assertEquals([await socket.read(large), large[0]], [1, 4]);
});

Deno.test("a fault is reported once; bytes read afterwards are dropped by the lingering close", async () => {
  const socket = new WebSocketDuplex(new Played([wire({ rsv: 1 }), new Uint8Array(7)]), "server");
  const refusal = await assertRejects(() => socket.read(new Uint8Array(100)), Refusal);
  assertEquals([refusal.reason, refusal.rejection?.length], ["BAD_FRAME", 0]);
  assertEquals(await socket.read(new Uint8Array(100)), 7);
});

Deno.test("the payload before a fault is delivered first", async () => {
  const socket = new WebSocketDuplex(
    new Played([concat(wire({ payload: [1] }), wire({ rsv: 1 }))]),
    "server",
  );
  assertEquals(await socket.read(new Uint8Array(100)), 1);
  await assertRejects(() => socket.read(new Uint8Array(100)), Refusal);
});

Deno.test("7.4.1: a rejection is followed by its close code, unless there was a fault", async () => {
  for (
    const [refusal, code] of [
      [undefined, 1000],
      ["BAD_FRAME", 1008],
      ["UPSTREAM_UNAVAILABLE", 1011],
      ["LIMIT_EXCEEDED", 1013],
      ["SHUTTING_DOWN", 1001],
      ["REPLACED", 1008],
    ] as const
  ) {
    const carrier = new Played();
    await new WebSocketDuplex(carrier, "server").closeWrite(refusal);
    assertEquals(decode([carrier.bytes], false).closed, code);
  }
  const carrier = new Played([wire({ opcode: 1 })]);
  const socket = new WebSocketDuplex(carrier, "server");
  await assertRejects(() => socket.read(new Uint8Array(100)), Refusal);
  await socket.closeWrite("BAD_FRAME");
  assertEquals(decode([carrier.bytes], false).closed, 1003);
});

Deno.test("close sends 1001 to a peer without a close frame of its own, and its own code to one with it", async () => {
  const closeAfter = async (...chunks: Uint8Array[]) => {
    const carrier = new Played(chunks);
    const socket = new WebSocketDuplex(carrier, "server");
    if (chunks.length > 0) assertEquals(await socket.read(new Uint8Array(100)), null);
    carrier.closed = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    carrier.gate = promise.then(() => void (carrier.closed = false));
    socket.close();
    resolve();
    await until(() => carrier.sent.length === 1, "the close frame is out");
    return decode([carrier.bytes], false).closed;
  };
  assertEquals(await closeAfter(), 1001);
  assertEquals(await closeAfter(wire({ opcode: CLOSE, payload: closing(4000) })), 4000);
});

Deno.test("close does not interrupt a frame that is being written", async () => {
  const carrier = new Played();
  carrier.gate = new Promise(() => {});
  const socket = new WebSocketDuplex(carrier, "server");
  void socket.write(noise(10));
  carrier.gate = Promise.resolve();
  socket.close();
  await pause(5);
  assertEquals(carrier.sent, []);
});

Deno.test("a pong that cannot be sent is not a failure", async () => {
  const carrier = new Played([concat(wire({ opcode: PING }), wire({ payload: [1] }))]);
  carrier.gate = Promise.reject(new Deno.errors.ConnectionReset("reset"));
  carrier.gate.catch(() => {});
  const socket = new WebSocketDuplex(carrier, "server");
  assertEquals(await socket.read(new Uint8Array(100)), 1);
  await assertRejects(() => socket.write(Uint8Array.of(1)), Deno.errors.ConnectionReset);
});

Deno.test("pongs of a client are masked", async () => {
  const carrier = new Played([
    concat(wire({ opcode: PING, masked: false }), wire({ payload: [1], masked: false })),
  ]);
  const socket = new WebSocketDuplex(carrier, "client");
  await socket.read(new Uint8Array(100));
  await until(() => carrier.sent.length === 1, "the pong is out");
  assertEquals([...carrier.bytes.subarray(0, 2)], [0x80 | PONG, 0x80]);
});
