/** The acceptance client: sends its ID and random numbers, and compares the receipt with its own tally. */

import { messageOf } from "../errors.ts";
import { FrameReader } from "../frame/reader.ts";
import { encodeFrame, encodeId, FrameType } from "../frame/tlv.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import { type ClientTarget, clientTargetText, connectTo, RefusedError } from "./connect.ts";
import { randomNumbers, type Receipt, Tally } from "./receipt.ts";

/** Longest answer accepted. */
const MAX_ANSWER_BYTES = 64 << 10;

/** Advice if the answer is not a receipt. */
const UPSTREAM_EXPECTED = "is the upstream of this ID a switchyard upstream?";

/** One run of a client. */
export interface ClientRun {
  readonly connect: ClientTarget;
  readonly id: string;
  /** How many numbers to send. */
  readonly count: number;
  readonly seed: number;
  readonly onProgress?: (sent: number) => void;
}

/** The client's tally, and the server's receipt. */
export interface ClientResult {
  readonly sent: Receipt;
  readonly received: Receipt;
  readonly agrees: boolean;
}

/**
 * Runs a client to its receipt.
 *
 * @throws Error with the ID, the target and the reason: no connection, an ERROR frame, no receipt
 */
export async function runClient(run: ClientRun): Promise<ClientResult> {
  const duplex = await connectTo(run.connect);
  // reads while it sends: a refusal may arrive before everything is sent
  const [answer, sent] = await Promise.allSettled([readAnswer(duplex), sendNumbers(duplex, run)]);
  duplex.close();
  if (answer.status === "rejected") throw failure(run, answer.reason);
  if (sent.status === "rejected") throw failure(run, sent.reason);
  const received = answer.value;
  return { sent: sent.value, received, agrees: sameReceipt(sent.value, received) };
}

function failure({ connect, id }: ClientRun, reason: unknown): Error {
  return new Error(`ID ${JSON.stringify(id)} over ${clientTargetText(connect)}: ${messageOf(reason)}`, {
    cause: reason,
  });
}

async function sendNumbers(duplex: Duplex, { id, count, seed, onProgress }: ClientRun): Promise<Receipt> {
  const tally = new Tally();
  const numbers = randomNumbers(seed);
  await writeAll(duplex, encodeId(id));
  for (let sent = 1; sent <= count; sent++) {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, numbers.next().value);
    await writeAll(duplex, encodeFrame(FrameType.DATA, value));
    tally.add(value);
    onProgress?.(sent);
  }
  await duplex.closeWrite();
  return tally.receipt(id);
}

async function readAnswer(duplex: Duplex): Promise<Receipt> {
  for await (const { type, value } of new FrameReader(duplex, { maxValueBytes: MAX_ANSWER_BYTES })) {
    if (type === FrameType.DATA) return parseReceipt(value);
    if (type === FrameType.ERROR) throw new RefusedError(value);
    throw new Error(`the answer is a frame of type ${type}, expected a receipt; ${UPSTREAM_EXPECTED}`);
  }
  throw new Error(`the connection ended without a receipt; ${UPSTREAM_EXPECTED}`);
}

function parseReceipt(value: Uint8Array): Receipt {
  const text = new TextDecoder().decode(value);
  try {
    const { id, count, sum, crc32 } = JSON.parse(text);
    return { id: String(id), count: Number(count), sum: Number(sum), crc32: Number(crc32) };
  } catch (error) {
    throw new Error(`the answer is not a receipt: ${JSON.stringify(text.slice(0, 80))}`, { cause: error });
  }
}

function sameReceipt(sent: Receipt, received: Receipt): boolean {
  return sent.id === received.id && sent.count === received.count && sent.sum === received.sum &&
    sent.crc32 === received.crc32;
}
