/** The file of the admin token. */

import { readText } from "../util/read_file.ts";

/** Shorter tokens could be guessed. */
const MIN_CHARACTERS = 16;

/** Larger than any token. */
const MAX_BYTES = 4096;

/** Reads the token in `file`. @throws Error naming the file if it has no usable token */
export async function readToken(file: string): Promise<string> {
  const token = (await readText(file, { maxBytes: MAX_BYTES })).trim();
  if (token.length < MIN_CHARACTERS || /[^\x21-\x7e]/.test(token)) {
    throw new Error(
      `${file}: expected one token of at least ${MIN_CHARACTERS} visible ASCII characters, such as openssl rand -hex 32 prints`,
    );
  }
  return token;
}
