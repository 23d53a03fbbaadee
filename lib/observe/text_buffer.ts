/** Text that is put together from many small parts, as UTF-8. */

/** Bytes of an empty buffer, in which most batches of lines fit. */
const FIRST_BYTES = 80 << 10;

/** Most bytes of UTF-8 for a character of a string. */
const MAX_BYTES_EACH = 3;

/** Longer strings are left to the platform's encoder, which takes a while to start. */
const SHORT = 64;

/** Most decimal digits of a number that is written here. */
const MAX_DIGITS = 10;

const MAX_NUMBER = 2 ** 31 - 1;

/** ASCII of the digit 0 and of the decimal point. */
const [ZERO, POINT] = [0x30, 0x2e];

const encoder = new TextEncoder();

/**
 * A buffer that text is added to at its end. Cheaper than strings if there are many parts: V8 makes a node of memory
 * for every few parts, joins them when the string is read, and keeps the text of each number for a while.
 */
export class TextBuffer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;
  /** The memory of text that was taken and is no longer needed. */
  #spare: ArrayBuffer | undefined;

  /** Number of bytes. */
  get length(): number {
    return this.#length;
  }

  /** Adds `text`. */
  add(text: string): this {
    this.#reserve(text.length * MAX_BYTES_EACH);
    if (text.length <= SHORT && this.#addAscii(text)) return this;
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
    return this;
  }

  /** Adds text that is encoded already. */
  addBytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Adds an integer as `String` converts it. */
  addInteger(number: number): this {
    if (!(number >= 0 && number <= MAX_NUMBER)) return this.add(String(number));
    this.#reserve(MAX_DIGITS);
    let digits = 1;
    for (let limit = 10; number >= limit; limit *= 10) digits += 1;
    const bytes = this.#bytes;
    const start = this.#length;
    for (let at = start + digits - 1, rest = number; at >= start; at--, rest = Math.trunc(rest / 10)) {
      bytes[at] = ZERO + rest % 10;
    }
    this.#length = start + digits;
    return this;
  }

  /** Adds a number that has at most three decimals as `String` converts it. */
  addThousandths(number: number): this {
    const thousandths = Math.round(number * 1000);
    if (!(thousandths >= 0 && thousandths <= MAX_NUMBER)) return this.add(String(number));
    const rest = thousandths % 1000;
    this.addInteger((thousandths - rest) / 1000);
    if (rest === 0) return this;
    this.#reserve(4);
    this.#bytes[this.#length++] = POINT;
    for (let digits = rest, unit = 100; digits > 0; digits %= unit, unit /= 10) {
      this.#bytes[this.#length++] = ZERO + Math.trunc(digits / unit);
    }
    return this;
  }

  /** Returns the bytes and empties the buffer. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return taken;
  }

  /** Uses the memory of `taken` again, which nothing may read any more. */
  reuse({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (buffer.byteLength === FIRST_BYTES) this.#spare = buffer;
  }

  /** False if it is not ASCII: nothing was added. */
  #addAscii(text: string): boolean {
    const bytes = this.#bytes;
    const start = this.#length;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[start + index] = code;
    }
    this.#length += text.length;
    return true;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = this.#larger(needed);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  #larger(needed: number): Uint8Array<ArrayBuffer> {
    if (needed > FIRST_BYTES) return new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    const spare = this.#spare;
    this.#spare = undefined;
    return new Uint8Array(spare ?? new ArrayBuffer(FIRST_BYTES));
  }
}
