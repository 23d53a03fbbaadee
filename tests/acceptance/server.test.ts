import { AcceptanceServer } from "../../lib/acceptance/server.ts";
import { encodeFrame, encodeId, FrameType, HEADER_BYTES } from "../../lib/frame/tlv.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { concat, receiveAll, send } from "../bytes.ts";

const number = (value: number) => encodeFrame(FrameType.DATA, Uint8Array.of(0, 0, 0, value));

const NUMBERS = concat(encodeId("1"), number(3), number(4));

const END = encodeFrame(FrameType.DATA, new Uint8Array());

/** The server's answer to `bytes`, and its report on a connection that gets no receipt. */
async function answerTo(bytes: Uint8Array, fin: boolean): Promise<[answer: string, failures: string[]]> {
  const failures: string[] = [];
  const events = { onFailure: (problem: string) => void failures.push(problem) };
  await using server = new AcceptanceServer({ host: "127.0.0.1", port: 0 }, "receipt", events);
  using client = await Deno.connect({ port: server.address.port });
  await send(client, bytes);
  if (fin) await client.closeWrite();
  const answer = await receiveAll(client);
  return [new TextDecoder().decode(answer.subarray(HEADER_BYTES)), failures];
}

for (
  const [end, bytes, fin] of [["FIN", NUMBERS, true], [
    "an empty frame",
    concat(NUMBERS, END),
    false,
  ]] as const
) {
  Deno.test(`the acceptance server answers at ${end} with a receipt, and closes`, async () => {
    const [answer, failures] = await answerTo(bytes, fin);
    const { id, count, sum } = JSON.parse(answer);
    assertEquals([id, count, sum, failures], ["1", 2, 7, []]);
  });
}

const REFUSED: Readonly<Record<string, [bytes: Uint8Array, said: string]>> = {
  "numbers before an ID": [number(1), "unexpected frame of type 2"],
  "a second ID": [concat(NUMBERS, encodeId("2")), "unexpected frame of type 1"],
  "nothing": [new Uint8Array(), "ended before an ID frame"],
  "an end inside a frame": [
    concat(NUMBERS, number(5).subarray(0, 7)),
    'ID "1": 7 bytes at the end are not a whole frame',
  ],
  "bytes behind the empty frame": [
    concat(NUMBERS, END, Uint8Array.of(1)),
    "1 bytes at the end are not a whole frame",
  ],
  "a number of five bytes": [
    concat(NUMBERS, encodeFrame(FrameType.DATA, new Uint8Array(5))),
    "a DATA frame of 5 bytes, expected a number of 4 bytes",
  ],
};

for (const [what, [bytes, said]] of Object.entries(REFUSED)) {
  Deno.test(`the acceptance server gives no receipt for ${what}`, async () => {
    const [answer, failures] = await answerTo(bytes, true);
    assertEquals([answer, failures.length], ["", 1]);
    assertStringIncludes(failures[0] ?? "", said);
  });
}
