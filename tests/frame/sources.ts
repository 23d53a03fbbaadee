/** Byte sources. */

/** A source that returns `chunks`, one for each read, and then ends, or fails with `error`. */
export function sourceOf(chunks: readonly Uint8Array[], error?: Error) {
  const left = [...chunks];
  return {
    read(buffer: Uint8Array): Promise<number | null> {
      const chunk = left.shift();
      if (!chunk) return error ? Promise.reject(error) : Promise.resolve(null);
      buffer.set(chunk);
      return Promise.resolve(chunk.length);
    },
  };
}
