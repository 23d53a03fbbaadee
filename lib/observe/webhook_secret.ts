/** The file of the secret by which a webhook's requests are signed. */

import { readText } from "../util/read_file.ts";

/** Larger than any secret. */
const MAX_BYTES = 4096;

/**
 * The secret in `file`. It is read for each event, so that a replaced one takes effect at once.
 *
 * @throws Error naming the file if it has none
 */
export async function readWebhookSecret(file: string): Promise<string> {
  const secret = (await readText(file, { maxBytes: MAX_BYTES })).trim();
  if (secret === "") {
    throw new Error(`${file}: found no text, expected a secret, such as openssl rand -hex 32 prints`);
  }
  return secret;
}
