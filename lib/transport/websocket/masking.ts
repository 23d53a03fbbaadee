/** Masking (RFC 6455, section 5.3), in words of 32 bits. */

/** Below this many bytes, processing by words does not pay. */
const WORTH_WORDS = 48;

/**
 * Masks or unmasks `bytes` in place.
 *
 * @param key The masking key as a number; its lowest byte applies to the first of `bytes`.
 * @returns The key for the byte after them.
 */
export function mask(bytes: Uint8Array, key: number): number {
  const { length } = bytes;
  let at = 0;
  if (length >= WORTH_WORDS) {
    const lead = -bytes.byteOffset & 3;
    for (; at < lead; at++) bytes[at] = (bytes[at] ?? 0) ^ (key >>> (8 * at));
    const count = (length - lead) >> 2;
    maskWords(new Int32Array(bytes.buffer, bytes.byteOffset + lead, count), turn(key, lead));
    at += count * 4;
  }
  for (; at < length; at++) bytes[at] = (bytes[at] ?? 0) ^ (key >>> (8 * (at & 3)));
  return turn(key, length);
}

/** All platforms of Deno are little-endian, like `key`. */
function maskWords(words: Int32Array, key: number): void {
  for (let at = 0; at < words.length; at++) words[at] = (words[at] ?? 0) ^ key;
}

/** The key, rotated by `bytes`. */
function turn(key: number, bytes: number): number {
  const shift = 8 * (bytes & 3);
  return shift === 0 ? key : (key >>> shift) | (key << (32 - shift));
}
