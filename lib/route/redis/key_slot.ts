/** The hash slot of a key in Redis Cluster. */

const SLOTS = 16_384;

/** CRC-16/XMODEM of the key, or of its first part in braces if there is one, modulo the number of slots. */
export function keySlot(key: string): number {
  return crc16(new TextEncoder().encode(hashedPart(key))) % SLOTS;
}

/** An empty pair of braces is not a hash tag. */
function hashedPart(key: string): string {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
}
