/** Certificates with their private keys, read from files and checked. */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from "node:tls";
import { Duplex } from "node:stream";
import { messageOf } from "../../errors.ts";

/** Files of a certificate with those above it, and of its private key, in PEM. */
export interface KeyPairFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate with those above it, and its private key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** @throws Error that names the file, where one cannot be read */
export function readKeyPair({ cert, key }: KeyPairFiles): KeyPair {
  return { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) };
}

/** @throws Error that names the files, where the key pair cannot be used. node:tls reports it at each connection only. */
export function checkKeyPair({ cert, key }: KeyPair, files: KeyPairFiles): void {
  const certificate = parse(() => new X509Certificate(cert), files.cert, "certificate in PEM");
  const privateKey = parse(() => createPrivateKey(key), files.key, "private key in PEM");
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(`the private key in ${files.key} does not belong to the certificate in ${files.cert}`);
  }
  const problem = serverProblem({ cert, key });
  if (problem) throw new Error(`TLS cannot use ${files.cert} with ${files.key}: ${problem.message}`);
}

function parse<T extends X509Certificate | KeyObject>(read: () => T, file: string, wanted: string): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${file} holds no ${wanted} that can be used: ${messageOf(error)}`, { cause: error });
  }
}

/** What a server with these settings would fail with. */
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
