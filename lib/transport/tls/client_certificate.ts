/**
 * Certificates of clients (mutual TLS).
 *
 * node:tls completes a handshake with any certificate, and its user has to refuse the client. A resumed
 * session is not checked at all, and may even come from a listener that requests no certificate: so it is accepted only
 * for a certificate that has been found valid here before.
 */

import type { PeerCertificate, TLSSocket } from "node:tls";
import { Refusal } from "../../errors.ts";

/** Maximum number of certificates remembered as valid; beyond it the oldest is dropped. */
const MAX_REMEMBERED = 10_000;

/** Has the result of the check; node:tls's own server reads it there too. */
interface Verifier {
  verifyError?(): string | null;
}

/** Decides on the clients of one listener. */
export class ClientCertificates {
  readonly #required: boolean;
  /** When each certificate expires, by fingerprint; the oldest entry first. */
  readonly #valid = new Map<string, number>();

  constructor(mode: "required" | "optional") {
    this.#required = mode === "required";
  }

  /**
   * The subject of the client's certificate; undefined if it has none and needs none.
   *
   * @throws {Refusal} FORBIDDEN
   */
  check(socket: TLSSocket): string | undefined {
    const certificate: Partial<PeerCertificate> | null = socket.getPeerCertificate();
    if (!certificate?.subject) {
      if (this.#required) throw forbidden("none was presented");
      return undefined;
    }
    if (socket.isSessionReused()) this.#checkResumed(certificate);
    else {
      checkVerified(socket);
      this.#remember(certificate);
    }
    return subjectText(certificate.subject);
  }

  #checkResumed({ fingerprint256 = "" }: Partial<PeerCertificate>): void {
    const expires = this.#valid.get(fingerprint256) ?? 0;
    if (Date.now() >= expires) {
      throw forbidden("a session was resumed with one that is not known to be valid");
    }
  }

  #remember({ fingerprint256, valid_to = "" }: Partial<PeerCertificate>): void {
    if (fingerprint256 === undefined) return;
    this.#valid.delete(fingerprint256);
    this.#valid.set(fingerprint256, Date.parse(valid_to) || 0);
    const [oldest] = this.#valid.keys();
    if (this.#valid.size > MAX_REMEMBERED && oldest !== undefined) this.#valid.delete(oldest);
  }
}

/** A certificate that cannot be checked counts as invalid. */
function checkVerified({ ssl }: TLSSocket & { ssl?: Verifier | null }): void {
  if (typeof ssl?.verifyError !== "function") throw forbidden("it could not be checked");
  const problem = ssl.verifyError();
  if (problem) throw forbidden(problem);
}

function forbidden(problem: string): Refusal {
  return new Refusal("FORBIDDEN", `the client's certificate is not valid: ${problem}`);
}

/** `O=Example, CN=device 7` */
function subjectText(subject: object): string {
  const parts = Object.entries(subject).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}=${value}`)
  );
  return parts.join(", ");
}
