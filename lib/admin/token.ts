/** The file of the admin token. */

import { readText } from "../util/read_file.ts";

/** Fewer characters can be guessed by trying. */
const MIN_CHARACTERS = 16;

/** Larger than any token. */
const MAX_BYTES = 4096;

/** The token in `file`. @throws Error that names the file, where there is no usable token in it */
export async function readToken(file: string): Promise<string> {
  const token = (await readText(file, { maxBytes: MAX_BYTES })).trim();
  if (token.length < MIN_CHARACTERS || /[^\x21-\x7e]/.test(token)) {
    throw new Error(
      `${file}: expected one token of at least ${MIN_CHARACTERS} visible ASCII characters, such as openssl rand -hex 32 prints`,
    );
  }
  return token;
}
