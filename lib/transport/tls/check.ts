/** Checks the TLS files of a configuration before they are used. */

import type { Config, TlsConfig, Upstream } from "../../config/config.ts";
import { serverFields, serversOf } from "../../config/servers.ts";
import { messageOf } from "../../errors.ts";
import { readCertificates, readKeyPair } from "./certificates.ts";
import { readAhead, type ReadFile, tlsFiles } from "./files.ts";
import { requireTls } from "./platform.ts";

/** A problem with the files of one field. */
export interface TlsProblem {
  /** Such as `listeners[0].tls`. */
  readonly path: string;
  /** Names the file. */
  readonly message: string;
}

type TlsSettings = Pick<Config, "listeners" | "routes" | "default" | "pools">;

/** Problems with files that cannot be read or used. A file of several routes is reported once. */
export async function tlsFileProblems(settings: TlsSettings): Promise<TlsProblem[]> {
  const read = await readAhead(tlsFiles(settings.listeners, serversOf(settings)));
  const problems: TlsProblem[] = [];
  const attempt = (path: string, use: () => unknown) => {
    try {
      requireTls();
      use();
    } catch (error) {
      problems.push({ path, message: messageOf(error) });
    }
  };
  for (const [index, { tls }] of settings.listeners.entries()) {
    if (tls) checkListener(`listeners[${index}].tls`, tls, read, attempt);
  }
  const seen = new Set<string>();
  for (const [path, { tls }] of serverFields(settings)) {
    checkUpstream(`${path}.tls`, tls, read, attempt, seen);
  }
  return problems;
}

type Attempt = (path: string, use: () => unknown) => void;

function checkListener(path: string, tls: TlsConfig, read: ReadFile, attempt: Attempt): void {
  const { certificates = [], client_ca } = tls;
  attempt(path, () => readKeyPair(tls, read));
  for (const [index, pair] of certificates.entries()) {
    attempt(`${path}.certificates[${index}]`, () => readKeyPair(pair, read));
  }
  if (client_ca !== undefined) attempt(`${path}.client_ca`, () => readCertificates(client_ca, read));
}

function checkUpstream(
  path: string,
  tls: Upstream["tls"],
  read: ReadFile,
  attempt: Attempt,
  seen: Set<string>,
): void {
  const once = (name: string, files: readonly string[], use: () => unknown) => {
    const id = JSON.stringify(files);
    if (!seen.has(id)) attempt(name, use);
    seen.add(id);
  };
  // no files, but this version of Deno must support TLS
  if (tls === true) once(path, [], () => {});
  if (typeof tls !== "object") return;
  const { ca, cert, key } = tls;
  if (ca !== undefined) once(`${path}.ca`, [ca], () => readCertificates(ca, read));
  if (cert !== undefined && key !== undefined) {
    once(path, [cert, key], () => readKeyPair({ cert, key }, read));
  }
}
