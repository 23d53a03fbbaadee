/**
 * Percentiles of millions of durations in a fixed 14 KiB, each within 1.6 % of the true one.
 *
 * Buckets as in HdrHistogram: 64 for each power of two. Its JavaScript port would bring WebAssembly, a zip and a base64
 * codec for these few lines, and `createHistogram` of `node:perf_hooks` is missing on older versions of Deno.
 */

/** Buckets for each power of two, and that as a shift. */
const STEPS = 64;
const STEP_BITS = 6;

/** Longest duration that is recorded as it is: 2^31 µs, 35 minutes. */
const LONGEST = 2 ** 31 - 1;

/** Durations in milliseconds, kept to the microsecond. */
export class Histogram {
  readonly #buckets = new Float64Array((32 - STEP_BITS) * STEPS);
  #count = 0;
  #max = 0;

  /** How many durations were recorded. */
  get count(): number {
    return this.#count;
  }

  /** The longest duration; 0 if there are none. */
  get max(): number {
    return this.#max;
  }

  /** Adds a duration of `milliseconds`, 0 or more. */
  record(milliseconds: number): void {
    const bucket = bucketOf(Math.min(Math.round(milliseconds * 1000), LONGEST));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#max = Math.max(this.#max, milliseconds);
  }

  /** The smallest duration that `share` (0 to 1) of all do not exceed; 0 if there are none. */
  percentile(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#count * share));
    let seen = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(highestOf(bucket) / 1000, this.#max);
    }
    return 0;
  }
}

function bucketOf(value: number): number {
  if (value < STEPS) return value;
  const shift = 31 - STEP_BITS - Math.clz32(value);
  return shift * STEPS + (value >>> shift);
}

/** The highest value that falls into `bucket`. */
function highestOf(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return (bucket - shift * STEPS + 1) * 2 ** shift - 1;
}
