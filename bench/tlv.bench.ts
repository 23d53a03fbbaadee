/** Speed of the codec and of the relay's buffers, apart from sockets. */

import { encodeFrame, encodeId, FrameDecoder, FrameType } from "../lib/frame/tlv.ts";

const id = encodeId("device-0000001");
const frames = new Uint8Array(1000 * 9);
for (let at = 0; at < frames.length; at += 9) frames.set(encodeFrame(FrameType.DATA, new Uint8Array(4)), at);

Deno.bench("decode one ID frame", () => {
  const decoder = new FrameDecoder({ maxValueBytes: 255 });
  decoder.push(id);
  decoder.next();
});

Deno.bench("decode 1000 DATA frames out of one chunk", () => {
  const decoder = new FrameDecoder({ maxValueBytes: 255 });
  decoder.push(frames);
  while (decoder.next());
});
