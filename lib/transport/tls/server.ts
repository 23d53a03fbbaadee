/**
 * TLS at a listener.
 *
 * Connections are accepted as plain TCP, so that a PROXY header can precede the handshake, and a new certificate is
 * used from the next connection on.
 */

import {
  checkServerIdentity,
  createSecureContext,
  type SecureContext,
  TLSSocket,
  type TLSSocketOptions,
} from "node:tls";
import { getLogger } from "@logtape/logtape";
import type { TlsConfig } from "../../config/config.ts";
import { messageOf, Refusal } from "../../errors.ts";
import { type Duplex, readFirst } from "../duplex.ts";
import { type KeyPair, readCertificates, readKeyPair } from "./certificates.ts";
import { ClientCertificates } from "./client_certificate.ts";
import { TlsDuplex } from "./duplex.ts";
import { listenerFiles, readAhead, type ReadFile, readNow } from "./files.ts";
import { requireTls } from "./platform.ts";

const log = getLogger("switchyard");

/** How often the files are checked, in milliseconds: a certificate is renewed days before it expires. */
const CHECK_MS = 10_000;

/** First byte of a TLS record that carries a handshake (RFC 8446, section 5.1). */
const HANDSHAKE = 0x16;

/** The settings of a TLS server. */
export interface TlsServerOptions {
  /** How the files are read at the start. @default at once */
  readonly read?: ReadFile | undefined;
  /** How often the files are checked, in milliseconds. @default 10000 */
  readonly checkMs?: number;
}

/** Terminates TLS for one listener, with the current content of its certificate files. */
export class TlsServer implements Disposable {
  readonly config: TlsConfig;
  readonly #name: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #clients: ClientCertificates;
  #options: TLSSocketOptions;
  #seen: string;
  #complaint = "";
  #reading: Promise<void> | undefined;

  /**
   * @param name The listener's, for messages.
   * @throws Error naming the file if a certificate cannot be used
   */
  constructor(
    name: string,
    config: TlsConfig,
    { read = readNow, checkMs = CHECK_MS }: TlsServerOptions = {},
  ) {
    this.config = config;
    this.#name = name;
    this.#clients = new ClientCertificates(config.client_cert ?? "required");
    try {
      requireTls();
      this.#seen = textOf(config, read);
      this.#options = socketOptions(config, read);
    } catch (error) {
      throw new Error(`cannot speak TLS on ${name}: ${messageOf(error)}`, { cause: error });
    }
    this.#timer = setInterval(() => void this.refresh(), checkMs);
    Deno.unrefTimer(this.#timer);
  }

  /**
   * Uses the files' content from the next connection on. If it is unusable, that is logged, and the previous
   * certificates are kept. Never rejects.
   *
   * @param read Returns files that have been read already.
   */
  refresh(read?: ReadFile): Promise<void> {
    if (!read) return this.#reading ??= this.#readFiles();
    this.#tryToUse(read);
    return Promise.resolve();
  }

  /** One at a time: a hanging file system blocks only one read. */
  async #readFiles(): Promise<void> {
    this.#tryToUse(await readAhead(listenerFiles(this.config)));
    this.#reading = undefined;
  }

  #tryToUse(read: ReadFile): void {
    try {
      this.#use(read);
    } catch (error) {
      this.#complain(messageOf(error));
    }
  }

  /** Stops checking the files; open connections are not affected. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /**
   * TLS over `raw`, which it owns, before the handshake. Null if the peer closes without sending a byte.
   *
   * @throws {Refusal} BAD_FRAME if the client does not speak TLS
   */
  async accept(raw: Duplex): Promise<TlsDuplex | null> {
    if (!await beginsHandshake(raw)) return null;
    const options = this.#options;
    return new TlsDuplex(raw, {
      opened: "secure",
      begin: (stream) => new TLSSocket(stream, options),
      ...(options.requestCert && { checkPeer: (socket) => this.#clients.check(socket) }),
    });
  }

  #use(read: ReadFile): void {
    const text = textOf(this.config, read);
    if (text === this.#seen) return;
    this.#seen = text;
    this.#options = socketOptions(this.config, read);
    log.info(`new certificate in use on ${this.#name}`);
  }

  /** Logs each problem once, since the files are checked periodically. */
  #complain(problem: string): void {
    if (problem === this.#complaint) return;
    this.#complaint = problem;
    log.error(`cannot use the new certificate on ${this.#name}, keeping the previous one: ${problem}`);
  }
}

/** The content of all files, to detect changes. */
function textOf(config: TlsConfig, read: ReadFile): string {
  return listenerFiles(config).map(read).join("\0");
}

/** @throws Error naming the file if it cannot be used */
function socketOptions(config: TlsConfig, read: ReadFile): TLSSocketOptions {
  const { certificates = [], client_ca, client_cert = "required" } = config;
  const ca = client_ca === undefined ? {} : { ca: readCertificates(client_ca, read) };
  const pairs = [config, ...certificates].map((files) => readKeyPair(files, read));
  const [first, ...others] = pairs.map(({ cert, key }) => createSecureContext({ cert, key, ...ca }));
  return {
    isServer: true,
    ...(first && { secureContext: first }),
    ...(first && others.length > 0 &&
      { SNICallback: (name, use) => use(null, select(name, pairs, first, others)) }),
    ...(client_ca !== undefined && { requestCert: true, rejectUnauthorized: client_cert === "required" }),
  };
}

/** The first certificate that matches `name`, or the first of all if none does or the client sent no name. */
function select(
  name: string,
  pairs: readonly KeyPair[],
  first: SecureContext,
  others: readonly SecureContext[],
): SecureContext {
  const index = pairs.findIndex(({ names }) => name !== "" && !checkServerIdentity(name, names));
  return others[index - 1] ?? first;
}

/** Peeks at the first byte. False if the stream ends before it. */
async function beginsHandshake(raw: Duplex): Promise<boolean> {
  const buffer = new Uint8Array(1024);
  const count = await readFirst(raw, buffer);
  if (count === null) return false;
  raw.unread(buffer.subarray(0, count));
  if (buffer[0] === HANDSHAKE) return true;
  throw new Refusal(
    "BAD_FRAME",
    `this listener expects TLS, but the client began with byte ${
      buffer[0]
    }: connect with TLS, or to another listener`,
  );
}
