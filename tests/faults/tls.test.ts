/** What TLS leaves open, seen from outside: a process of its own. */

import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals } from "../assert.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { start } from "../e2e/processes.ts";
import { receive, receiveAll, send, startEcho, until } from "../harness.ts";

const ID = encodeId("1");

Deno.test({
  name:
    "50 TLS clients of each kind later as few files are open as before, and one that stays is not affected",
  ignore: !hasOpenssl || Deno.build.os !== "linux",
  async fn() {
    await using certificate = await Certificate.create("first");
    await using upstream = startEcho();
    const config = `${certificate.files.cert}.yaml`;
    await Deno.writeTextFile(
      config,
      `listeners: [{ address: "127.0.0.1:0", tls: { cert: cert.pem, key: key.pem } }]
routes: [{ id: 1, host: 127.0.0.1, port: ${upstream.port} }]
timeouts: { id: 500ms }
`,
    );
    await using balancer = start({ command: [] }, ["serve", "-c", config]);
    await balancer.stderr.until("listening on");
    const [, port = ""] = /listening on [^"\n]*:(\d+)/.exec(balancer.stderr.text) ?? [];
    const at = { hostname: "localhost", port: Number(port) };
    const secure = () => Deno.connectTls({ ...at, caCerts: [certificate.pem] });
    const openFiles = () => [...Deno.readDirSync(`/proc/${balancer.pid}/fd`)].length;
    using staying = await secure();
    await send(staying, ID);
    assertEquals(await receive(staying, ID.length), ID);
    const before = openFiles();
    let untilDeadline = false;
    const kinds: (() => Promise<void>)[] = [
      async () => {
        using whole = await secure();
        await send(whole, ID);
        assertEquals(await receive(whole, ID.length), ID);
      },
      async () => {
        using plain = await Deno.connect({ hostname: "127.0.0.1", port: at.port });
        await send(plain, ID);
        assertEquals((await receiveAll(plain))[0], 3);
      },
      async () => {
        using hanging = await Deno.connect({ hostname: "127.0.0.1", port: at.port });
        await send(hanging, Uint8Array.of(0x16, 3, 1, 2, 0, 1));
        if (untilDeadline) await receiveAll(hanging);
      },
      async () => {
        using distrusting = await Deno.connectTls(at);
        await distrusting.handshake().catch(() => {});
      },
    ];
    for (let round = 0; round < 5; round++) {
      untilDeadline = round === 4;
      await Promise.all(kinds.flatMap((kind) => Array.from({ length: 10 }, kind)));
    }
    await until(() => openFiles() <= before, "every socket is released");
    await send(staying, Uint8Array.of(7));
    assertEquals(await receive(staying, 1), Uint8Array.of(7));
    assert(!balancer.stderr.text.includes("ERROR"), balancer.stderr.text);
  },
});
