/**
 * TLS at a listener.
 *
 * Connections are accepted as plain TCP, so a PROXY header can come ahead of the handshake, and a new certificate is
 * used from the next connection on.
 */

import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { getLogger } from "@logtape/logtape";
import type { TlsConfig } from "../../config/config.ts";
import { messageOf, Refusal } from "../../errors.ts";
import { type Duplex, readFirst } from "../duplex.ts";
import { TlsDuplex } from "./duplex.ts";
import { checkKeyPair, type KeyPair, type KeyPairFiles, readKeyPair } from "./key_pair.ts";

const log = getLogger("switchyard");

/** How often the files are checked, in milliseconds: a certificate is renewed days before it expires. */
const CHECK_MS = 10_000;

/** First byte of a TLS record that carries a handshake (RFC 8446, section 5.1). */
const HANDSHAKE = 0x16;

/** Speaks TLS for one listener, with the certificate that its files hold now. */
export class TlsServer implements Disposable {
  readonly config: TlsConfig;
  readonly #name: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #context: SecureContext;
  #seen: KeyPair;
  #complaint = "";

  /**
   * @param name The listener's, for messages.
   * @throws Error that names the file, where the certificate cannot be used
   */
  constructor(name: string, config: TlsConfig, checkMs = CHECK_MS) {
    this.config = config;
    this.#name = name;
    try {
      this.#seen = readKeyPair(config);
      this.#context = contextOf(this.#seen, config);
    } catch (error) {
      throw new Error(`cannot speak TLS on ${name}: ${messageOf(error)}`, { cause: error });
    }
    this.#timer = setInterval(() => this.refresh(), checkMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Uses the certificate that the files hold from now on; one that cannot be used is logged, and the old one kept. */
  refresh(): void {
    try {
      const pair = readKeyPair(this.config);
      if (pair.cert === this.#seen.cert && pair.key === this.#seen.key) return;
      this.#seen = pair;
      this.#context = contextOf(pair, this.config);
      log.info(`new certificate in use on ${this.#name}`);
    } catch (error) {
      this.#complain(messageOf(error));
    }
  }

  /** Checks the files no longer; open connections are not affected. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /**
   * The client's side of what `raw` carries; its handshake is still to come. It owns `raw`. Null where the peer closes
   * without having sent a byte.
   *
   * @throws {Refusal} BAD_FRAME where the client does not speak TLS
   */
  async accept(raw: Duplex): Promise<TlsDuplex | null> {
    if (!await beginsHandshake(raw)) return null;
    const secureContext = this.#context;
    return new TlsDuplex(raw, "secure", (stream) => new TLSSocket(stream, { isServer: true, secureContext }));
  }

  /** Once for each problem, since the files are checked again and again. */
  #complain(problem: string): void {
    if (problem === this.#complaint) return;
    this.#complaint = problem;
    log.error(`cannot use the new certificate on ${this.#name}, keeping the previous one: ${problem}`);
  }
}

/** @throws Error where the certificate cannot be used */
function contextOf(pair: KeyPair, files: KeyPairFiles): SecureContext {
  checkKeyPair(pair, files);
  return createSecureContext(pair);
}

/** Reads the first byte, and puts it back. False where there is none. */
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
