/**
 * Reading whole files without waiting forever: the kind of file is checked before it is opened, and each read has
 * a deadline. Everything that the balancer reads from disk goes through here.
 */

import { concat } from "./bytes.ts";
import { durationText, plain } from "./text.ts";

/** How a file is read. */
export interface ReadOptions {
  /**
   * Largest size in bytes that is accepted.
   *
   * @default 1048576
   */
  readonly maxBytes?: number;
  /**
   * Longest time for all of it, in milliseconds.
   *
   * @default 10000
   */
  readonly deadlineMs?: number;
  /**
   * Whether the file may be a pipe, a terminal or another device, and `-` or `/dev/stdin` standard input. Only for
   * files that a person names on the command line and that are read once.
   *
   * @default false
   */
  readonly pipe?: boolean;
}

/** A file that cannot be read. The message begins with the file's name and advises what to do. */
export class ReadError extends Error {
  override readonly name = "ReadError";
  /** The message without the file's name. */
  readonly reason: string;

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`${plain(file)}: ${reason}`, options);
    this.reason = reason;
  }
}

const DEFAULTS = { maxBytes: 1 << 20, deadlineMs: 10_000, pipe: false } as const;

/**
 * Most reads past their deadline before further reads are refused. Each occupies one of the platform's 32 threads until
 * the file system answers, and name look-ups need threads too.
 */
const MAX_HANGING = 8;

let hanging = 0;

/** Number of reads that are past their deadline and have not returned. */
export function hangingReads(): number {
  return hanging;
}

const CHUNK_BYTES = 64 << 10;
const SHARED_CHUNK = 1 << 20;

/** True for the names of standard input, which only `pipe` permits. */
function isStandardInput(file: string): boolean {
  return file === "-" || file === "/dev/stdin";
}

/**
 * The text of a file in UTF-8, without a byte order mark.
 *
 * @throws {ReadError} if it cannot be read, is not a regular file, is too large, or does not answer in time
 */
export async function readText(file: string, options: ReadOptions = {}): Promise<string> {
  return decodeText(await readBytes(file, options), file);
}

/** `bytes`, read from `file`, as text. @throws {ReadError} if they are not UTF-8 */
export function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ReadError(file, "is not text in UTF-8", { cause });
  }
}

/** The bytes of a file. @throws {ReadError} as `readText` does */
export async function readBytes(file: string, options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const { deadlineMs, ...limits } = { ...DEFAULTS, ...options };
  return await within(file, deadlineMs, (late) => readAll(file, limits, late));
}

/**
 * Reads a file whole into memory that may be shared between threads.
 *
 * @param target As long as the file, by `statFile`.
 * @throws {ReadError} as `readText` does, and if the size of the file has changed
 */
export async function readInto(
  file: string,
  target: Uint8Array,
  deadlineMs: number = DEFAULTS.deadlineMs,
): Promise<void> {
  await within(file, deadlineMs, (late) => fill(file, target, late));
}

/** The file's status; symbolic links are followed. @throws {ReadError} as `readText` does */
export async function statFile(
  file: string,
  deadlineMs: number = DEFAULTS.deadlineMs,
): Promise<Deno.FileInfo> {
  return await within(file, deadlineMs, () => Deno.stat(file));
}

/** The real path of a file, with symbolic links resolved. @throws {ReadError} as `readText` does */
export async function realPathOf(
  file: string,
  deadlineMs: number = DEFAULTS.deadlineMs,
): Promise<string> {
  return await within(file, deadlineMs, () => Deno.realPath(file));
}

/** True for standard input and for pipes, which can be read once only. False if there is no such file. */
export async function isPipe(file: string): Promise<boolean> {
  if (isStandardInput(file)) return true;
  try {
    return (await statFile(file)).isFifo === true;
  } catch (error) {
    if (error instanceof ReadError) return false; // reading it will report the same
    throw error;
  }
}

/** Runs `work` for at most `deadlineMs`, then aborts the signal. */
async function within<T>(
  file: string,
  deadlineMs: number,
  work: (late: AbortSignal) => Promise<T>,
): Promise<T> {
  if (hanging >= MAX_HANGING) {
    throw new ReadError(file, `not read: ${hanging} other reads hang; ${CHECK_DISK}`);
  }
  const late = new AbortController();
  const working = work(late.signal);
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.abort();
    hanging += 1;
    const settled = () => void (hanging -= 1);
    working.then(settled, settled);
    reject(new ReadError(file, `could not be read within ${durationText(deadlineMs)}; ${CHECK_DISK}`));
  }, deadlineMs);
  try {
    return await Promise.race([working, deadline]);
  } catch (error) {
    throw error instanceof ReadError ? error : new ReadError(file, reasonOf(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const CHECK_DISK = "check that its file system responds";

type Source = Pick<Deno.FsFile, "read"> & Disposable;

async function readAll(
  file: string,
  { maxBytes, pipe }: Required<Omit<ReadOptions, "deadlineMs">>,
  late: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  using source = await open(file, pipe);
  late.addEventListener("abort", () => source[Symbol.dispose]());
  const chunks: Uint8Array[] = [];
  for (let size = 0; !late.aborted;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const count = await source.read(chunk);
    if (count === null) break;
    chunks.push(chunk.subarray(0, count));
    size += count;
    if (size > maxBytes) {
      throw new ReadError(file, `is larger than the maximum of ${sizeText(maxBytes)}`);
    }
  }
  return concat(chunks);
}

async function fill(file: string, target: Uint8Array, late: AbortSignal): Promise<void> {
  using source = await open(file, false);
  late.addEventListener("abort", () => source[Symbol.dispose]());
  const beyond = new Uint8Array(1);
  let size = 0;
  while (size <= target.length && !late.aborted) {
    const count = await source.read(
      size < target.length ? target.subarray(size, size + SHARED_CHUNK) : beyond,
    );
    if (count === null) break;
    size += count;
  }
  if (size !== target.length) {
    throw new ReadError(file, "has changed while it was read; write it elsewhere and rename it");
  }
}

/** Opening a FIFO blocks until there is a writer, so the kind of file is checked first. */
async function open(file: string, pipe: boolean): Promise<Source> {
  // the platform gives no read permission for /dev/stdin
  if (pipe && isStandardInput(file)) {
    return { read: (buffer) => Deno.stdin.read(buffer), [Symbol.dispose]: () => {} };
  }
  const { isFile, isDirectory, isFifo } = await Deno.stat(file);
  if (isDirectory) throw new ReadError(file, "is a directory, expected a file");
  if (!isFile && !pipe) {
    throw new ReadError(
      file,
      `is ${isFifo ? "a pipe (FIFO)" : "a device or socket"}, expected a regular file`,
    );
  }
  return await Deno.open(file);
}

function sizeText(bytes: number): string {
  return bytes % (1 << 20) === 0 ? `${bytes / (1 << 20)} MiB` : `${bytes} bytes`;
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "cannot be read: permission denied; check its owner and mode";
  }
  const message = error instanceof Error ? error.message : String(error);
  return `cannot be read: ${message.split("\n", 1)[0]}`;
}
