/** The files that TLS needs: certificates and private keys in PEM. */

import type { ListenerConfig, TlsConfig, Upstream } from "../../config/config.ts";
import { decodeText, ReadError, readText } from "../../util/read_file.ts";

/** Returns the text of a file. @throws {ReadError} */
export type ReadFile = (file: string) => string;

/** Maximum size of a file, in bytes: several hundred certificates. */
const LARGEST_BYTES = 1 << 20;

/** Reads a file synchronously, at the start of a program. @throws {ReadError} */
export function readNow(file: string): string {
  try {
    const { isFile, size } = Deno.statSync(file);
    if (!isFile) throw new ReadError(file, "is not a regular file");
    if (size > LARGEST_BYTES) throw new ReadError(file, `is larger than ${LARGEST_BYTES} bytes`);
    return decodeText(Deno.readFileSync(file), file);
  } catch (error) {
    if (error instanceof ReadError) throw error;
    throw new ReadError(file, reason(error), { cause: error });
  }
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

/**
 * Reads `files` asynchronously, each within a deadline. The result throws for a file that could not be read.
 */
export async function readAhead(files: Iterable<string>): Promise<ReadFile> {
  const texts = new Map<string, string | ReadError>();
  for (const file of new Set(files)) {
    try {
      texts.set(file, await readText(file, { maxBytes: LARGEST_BYTES }));
    } catch (error) {
      texts.set(
        file,
        error instanceof ReadError ? error : new ReadError(file, reason(error), { cause: error }),
      );
    }
  }
  return (file) => {
    const text = texts.get(file) ?? new ReadError(file, "was not read ahead");
    if (text instanceof ReadError) throw text;
    return text;
  };
}

/** The TLS files of a listener. */
export function listenerFiles({ cert, key, certificates = [], client_ca }: TlsConfig): string[] {
  const pairs = [{ cert, key }, ...certificates];
  return [...pairs.flatMap((pair) => [pair.cert, pair.key]), ...(client_ca === undefined ? [] : [client_ca])];
}

/** The TLS files of these listeners and upstreams. */
export function* tlsFiles(
  listeners: Iterable<Pick<ListenerConfig, "tls">>,
  upstreams: Iterable<Pick<Upstream, "tls">>,
): Generator<string> {
  for (const { tls } of listeners) if (tls) yield* listenerFiles(tls);
  for (const { tls } of upstreams) {
    if (typeof tls !== "object") continue;
    for (const file of [tls.ca, tls.cert, tls.key]) if (file !== undefined) yield file;
  }
}
