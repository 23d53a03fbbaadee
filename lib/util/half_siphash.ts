/**
 * HalfSipHash-1-3: a hash with a secret key, on words of 32 bits (Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF", and its 32-bit variant, which Linux uses for hash tables). Without the key, nobody can choose texts
 * that collide.
 */

/** A secret of 64 bits, as two words. */
export type HashKey = readonly [number, number];

/** A random key. */
export function randomHashKey(): HashKey {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2));
  return [first, second];
}

/** The hash, 32 bits unsigned, of `bytes` from `start` to before `end`. */
export function halfSipHash(bytes: Uint8Array, start: number, end: number, key: HashKey): number {
  const [k0, k1] = key;
  let [v0, v1, v2, v3] = [k0 | 0, k1 | 0, 0x6c796765 ^ k0, 0x74656462 ^ k1];
  const words = (end - start) >>> 2;
  // the last word holds the remaining bytes and the length; three more rounds finish
  for (let word = 0; word < words + 4; word++) {
    const mixed = word <= words ? wordAt(bytes, start, end, word) : 0;
    if (word === words + 1) v2 ^= 0xff;
    v3 ^= mixed;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= mixed;
  }
  return (v1 ^ v3) >>> 0;
}

/** The little-endian word number `word`; the last one ends with the length, modulo 256. */
function wordAt(bytes: Uint8Array, start: number, end: number, word: number): number {
  const at = start + word * 4;
  if (at + 4 <= end) {
    return byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) |
      (byteAt(bytes, at + 3) << 24);
  }
  let last = ((end - start) & 0xff) << 24;
  for (let index = at; index < end; index++) last |= byteAt(bytes, index) << ((index - at) * 8);
  return last;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
