/**
 * The platform's floor: a relay with the same system calls as Switchyard and nothing around them. No deadline, no
 * limit, no log; the ID in the first frame picks one of two ports.
 *
 *     deno run --allow-net scripts/bench/bare_relay.ts PORT ECHO SINK
 */

const [port = 0, echo = 0, sink = 0] = Deno.args.map(Number);
const HEADER_BYTES = 5;
const BUFFER_BYTES = 64 << 10;

/** Reads the first frame of a client. Returns it with all other bytes received. */
async function firstFrame(client: Deno.TcpConn): Promise<Uint8Array> {
  const buffer = new Uint8Array(4096);
  for (let length = 0, wanted = HEADER_BYTES;;) {
    const count = await client.read(buffer.subarray(length));
    if (count === null) throw new Error("no ID frame");
    length += count;
    if (length >= HEADER_BYTES) wanted = HEADER_BYTES + new DataView(buffer.buffer).getUint32(1);
    if (length >= wanted) return buffer.subarray(0, length);
  }
}

async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let count; (count = await from.read(buffer)) !== null;) await writeAll(to, buffer.subarray(0, count));
  await to.closeWrite();
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await to.write(bytes.subarray(done));
}

async function serve(client: Deno.TcpConn): Promise<void> {
  let server: Deno.TcpConn | undefined;
  try {
    const first = await firstFrame(client);
    const target = first[HEADER_BYTES] === "2".charCodeAt(0) ? sink : echo;
    server = await Deno.connect({ hostname: "127.0.0.1", port: target });
    for (const conn of [client, server]) conn.setNoDelay(true);
    await writeAll(server, first);
    await Promise.all([copy(client, server), copy(server, client)]);
  } catch {
    // one end is closed, which ends the other
  } finally {
    client[Symbol.dispose]();
    server?.[Symbol.dispose]();
  }
}

for await (const client of Deno.listen({ hostname: "127.0.0.1", port })) void serve(client);
