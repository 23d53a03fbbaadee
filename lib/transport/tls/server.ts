/**
 * TLS at a listener.
 *
 * The platform ends TLS in a listener of its own alone (`Deno.listenTls`), and the certificate of one that is open
 * cannot be changed. Opening another on the same port loses what waits at the first one to be accepted, so connections
 * are accepted as plain TCP by a listener that stays, and passed on over loopback to a TLS listener behind it, which is
 * replaced when the certificate changes. That also lets a PROXY header come ahead of the handshake, as it should.
 */

import { getLogger } from "@logtape/logtape";
import type { TlsConfig } from "../../config/config.ts";
import { messageOf, Refusal } from "../../errors.ts";
import { type Duplex, readFirst } from "../duplex.ts";
import { LOOPBACK, Loopback } from "./loopback.ts";
import { passOpening } from "./tls_opening.ts";
import { type OpenSockets, TlsSocket } from "./tls_socket.ts";
import { TcpDuplex } from "../tcp.ts";

const log = getLogger("switchyard");

/** How often the files are looked at, in milliseconds: a certificate is renewed days before it expires. */
const LOOK_MS = 10_000;

/** First byte of a TLS record that carries a handshake (RFC 8446, section 5.1). */
const HANDSHAKE = 0x16;

/** A certificate with those above it, and its private key, in PEM. */
interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A handshake that failed. There is no way to tell the client more than the TLS alert that it has got. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
}

/** Ends TLS for one listener, with the certificate that its files hold now. */
export class TlsGate {
  readonly config: TlsConfig;
  readonly #name: string;
  readonly #open: OpenSockets;
  readonly #timer: ReturnType<typeof setInterval>;
  #inner: Loopback<Deno.TlsConn>;
  #seen: KeyPair;
  #complained = "";

  /**
   * @param name The listener's, for messages.
   * @param open Kept by the gate: every connection through it that is open.
   * @throws Error that names the file, where the certificate cannot be used
   */
  constructor(name: string, config: TlsConfig, open: OpenSockets, lookMs = LOOK_MS) {
    this.config = config;
    this.#name = name;
    this.#open = open;
    try {
      this.#seen = readPair(config);
      this.#inner = listen(this.#seen);
    } catch (error) {
      throw new Error(`cannot speak TLS on ${name}: ${problem(error, config)}`, { cause: error });
    }
    this.#timer = setInterval(() => this.refresh(), lookMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Takes a new certificate into use, where the files hold one; what is wrong is said, and leaves the old one in use. */
  refresh(): void {
    try {
      const pair = readPair(this.config);
      if (pair.cert === this.#seen.cert && pair.key === this.#seen.key) return;
      this.#seen = pair;
      const inner = listen(pair);
      this.#inner.retire();
      this.#inner = inner;
      log.info(`new certificate in use on ${this.#name}`);
    } catch (error) {
      this.#complain(problem(error, this.config));
    }
  }

  /** Takes nothing more; what is open goes on. */
  retire(): void {
    clearInterval(this.#timer);
    this.#inner.retire();
  }

  /**
   * The client's side of what `raw` carries; its handshake is still to come. It owns `raw`. Null where the peer closes
   * without having sent a byte.
   *
   * @throws {Refusal} BAD_FRAME where the client does not speak TLS
   */
  async open(raw: Duplex): Promise<{ client: TcpDuplex; handshake: () => Promise<void> } | null> {
    if (!await beginsHandshake(raw)) return null;
    const { dialed, accepted } = await this.#inner.connect();
    const socket = new TlsSocket(raw, { hop: dialed, secure: accepted }, passOpening);
    this.#open.add(socket);
    return { client: new TcpDuplex(socket), handshake: () => handshake(socket) };
  }

  /** Once for each thing that is wrong, since the files are looked at again and again. */
  #complain(what: string): void {
    if (what === this.#complained) return;
    this.#complained = what;
    log.error(`cannot take a new certificate into use on ${this.#name}, the old one stays: ${what}`);
  }
}

/** @throws Error where the certificate cannot be used */
function listen({ cert, key }: KeyPair): Loopback<Deno.TlsConn> {
  return new Loopback(Deno.listenTls({ hostname: LOOPBACK, port: 0, cert, key }));
}

async function handshake(socket: TlsSocket): Promise<void> {
  try {
    await socket.handshake();
  } catch (error) {
    throw new HandshakeError(`TLS handshake: ${messageOf(error)}`, { cause: error });
  }
}

/** Looks at the first byte, and gives it back. False where there is none. */
async function beginsHandshake(raw: Duplex): Promise<boolean> {
  const buffer = new Uint8Array(1024);
  const count = await readFirst(raw, buffer);
  if (count === null) return false;
  raw.unread(buffer.subarray(0, count));
  if (buffer[0] === HANDSHAKE) return true;
  throw new Refusal(
    "BAD_FRAME",
    `this listener speaks TLS, and a client that does begins with byte 22, not ${
      buffer[0]
    }: plain text is for another listener`,
  );
}

function readPair({ cert, key }: TlsConfig): KeyPair {
  return { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) };
}

function problem(error: unknown, { cert, key }: TlsConfig): string {
  const message = messageOf(error);
  // a message about a file that cannot be read names it, one about what is in it does not
  return message.includes(cert) || message.includes(key) ? message : `${cert} and ${key}: ${message}`;
}
