/** Open files after TLS connections, of a balancer in a process of its own. */

import { assert, assertEquals } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { identify } from "../clients.ts";
import { start } from "../e2e/processes.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";

Deno.test({
  name:
    "after 50 TLS clients of each kind no more files are open than before, and an open connection is unaffected",
  ignore: !hasOpenssl || Deno.build.os !== "linux",
  async fn() {
    await using certificate = await Certificate.create("first");
    await using upstream = startEcho();
    const config = `${certificate.files.cert}.yaml`;
    await Deno.writeTextFile(
      config,
      `listeners: [{ address: "127.0.0.1:0", tls: { cert: cert.pem, key: key.pem } }]
routes: [{ id: 1, host: 127.0.0.1, port: ${upstream.port} }]
timeouts: { id: 2s }
`,
    );
    await using balancer = start({ command: [] }, ["serve", "-c", config]);
    await balancer.stderr.until("listening on");
    const [, port = ""] = /listening on [^"\n]*:(\d+)/.exec(balancer.stderr.text) ?? [];
    const at = { hostname: "localhost", port: Number(port) };
    const secure = () => Deno.connectTls({ ...at, caCerts: [certificate.pem] });
    const openFiles = () => [...Deno.readDirSync(`/proc/${balancer.pid}/fd`)].length;
    using staying = await secure();
    await identify(staying);
    const before = openFiles();
    let untilDeadline = false;
    const kinds: (() => Promise<void>)[] = [
      async () => {
        using whole = await secure();
        await identify(whole);
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
    for (let round = 0; round < 10; round++) {
      untilDeadline = round === 9;
      await Promise.all(kinds.flatMap((kind) => Array.from({ length: 5 }, kind)));
    }
    await until(() => openFiles() <= before, "every socket is released");
    await send(staying, Uint8Array.of(7));
    assertEquals(await receive(staying, 1), Uint8Array.of(7));
    assert(!balancer.stderr.text.includes("ERROR"), balancer.stderr.text);
  },
});
