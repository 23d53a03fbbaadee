// @ts-check
/** A client for anything with the interface of a browser's WebSocket: Deno, Node, the package ws, browsers. */

const BYTES = 10_000_000;

/** Sizes of messages: around each width of the length field, around powers of two, and others. */
const SIZES = [1, 2, 3, 5, 125, 126, 127, 4095, 65_535, 65_536, 65_537, 99_991, 250_007, 1_000_003];

/** Maximum number of bytes that wait to be sent. */
const MOST_WAITING = 1 << 20;

/**
 * Sends an ID frame and 10 MB as one stream, cut into messages of odd sizes, and closes once as much has come back.
 *
 * @param {typeof WebSocket} Socket
 * @param {string} url
 * @returns {Promise<{sent: string, received: string, code: number, protocol: string}>} SHA-256 of the 10 MB and of
 * what came back, the code of the close frame and the subprotocol.
 */
export async function echo(Socket, url) {
  const id = Uint8Array.of(1, 0, 0, 0, 1, 0x31);
  const bytes = new Uint8Array(id.length + BYTES);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  bytes.set(id);
  const socket = new Socket(url, "tlv");
  socket.binaryType = "arraybuffer";
  const closed = new Promise((resolve) => socket.onclose = ({ code }) => resolve(code));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const back = collect(socket, BYTES);
  const [received] = await Promise.all([back, sendInPieces(socket, bytes)]);
  socket.close(1000, "done");
  return {
    sent: await sha256(bytes.subarray(id.length)),
    received: await sha256(received),
    code: await closed,
    protocol: socket.protocol,
  };
}

/**
 * @param {WebSocket} socket
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
async function sendInPieces(socket, bytes) {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = Math.min(bytes.length, at + (SIZES[turn % SIZES.length] ?? 1));
    socket.send(bytes.subarray(at, end));
    at = end;
    while (socket.bufferedAmount > MOST_WAITING && socket.readyState === 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/**
 * @param {WebSocket} socket
 * @param {number} length
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
function collect(socket, length) {
  const bytes = new Uint8Array(length);
  let count = 0;
  return new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer) || count + data.byteLength > length) {
        return reject(new Error(`after ${count} bytes came ${data.byteLength ?? "text"}`));
      }
      bytes.set(new Uint8Array(data), count);
      count += data.byteLength;
      if (count === length) resolve(bytes);
    };
    socket.addEventListener(
      "close",
      ({ code }) => reject(new Error(`closed with ${code} after ${count} bytes`)),
    );
  });
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function sha256(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
