/** Reads certificates and private keys, and checks what node:tls would only report at each connection. */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";
import {
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
  TLSSocket,
} from "node:tls";
import type { KeyPairFiles } from "../../config/config.ts";
import { messageOf } from "../../errors.ts";
import type { ReadFile } from "./files.ts";

/** A certificate chain and its private key, in PEM. */
export interface KeyPair extends KeyPairFiles {
  /** The certificate's names, in the form that `checkServerIdentity` takes. */
  readonly names: PeerCertificate;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** Reads certificates in PEM. @throws Error naming the file if it cannot be read, or has no usable certificate */
export function readCertificates(file: string, read: ReadFile): string {
  const pem = read(file);
  const certificates = pem.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error(`${file}: holds no certificate in PEM`);
  for (const each of certificates) parse(() => new X509Certificate(each), file, "certificate in PEM");
  return pem;
}

/** Reads a key pair and checks it. @throws Error naming the invalid file */
export function readKeyPair(files: KeyPairFiles, read: ReadFile): KeyPair {
  const [cert, key] = [readCertificates(files.cert, read), read(files.key)];
  const certificate = parse(() => new X509Certificate(cert), files.cert, "certificate in PEM");
  const privateKey = parse(() => createPrivateKey(key), files.key, "private key in PEM");
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(`${files.key}: this private key does not match the certificate in ${files.cert}`);
  }
  const problem = serverProblem({ cert, key });
  if (problem) {
    throw new Error(`${files.key}: TLS cannot use this key with ${files.cert}: ${problem.message}`);
  }
  return { cert, key, names: certificate.toLegacyObject() };
}

function parse<T extends X509Certificate | KeyObject>(read: () => T, file: string, expected: string): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${file}: holds no usable ${expected}: ${messageOf(error)}`, { cause: error });
  }
}

/** The error of a server with these settings, if any. */
function serverProblem(options: SecureContextOptions): Error | undefined {
  const secureContext: SecureContext = createSecureContext(options);
  const socket: TLSSocket & { _initError?: Error } = new TLSSocket(new Duplex(), {
    isServer: true,
    secureContext,
  });
  const problem = socket._initError;
  socket.destroy();
  return problem;
}
