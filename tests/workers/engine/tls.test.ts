/** TLS at a listener that several workers share. */

import { assertEquals } from "../../assert.ts";
import { Certificate, hasOpenssl } from "../../certificates.ts";
import { identify } from "../../clients.ts";
import { startWorkers } from "../fixture.ts";

/** So many connections that all go to one worker only once in 2^23 runs. */
const MANY = 24;

Deno.test({
  name: "every worker terminates TLS, and uses a renewed certificate",
  ignore: !hasOpenssl,
  async fn() {
    await using certificate = await Certificate.create("first");
    const tls = { ...certificate.files, certificates: [] };
    const listeners = [{ address: { host: "127.0.0.1", port: 0 }, tls }];
    await using workers = await startWorkers({ listeners });
    const { engine, config, port } = workers;
    const isServedBy = async (pem: string) => {
      using client = await Deno.connectTls({ hostname: "localhost", port, caCerts: [pem] });
      try {
        await client.handshake();
      } catch {
        return false; // the certificate has changed
      }
      await identify(client);
      return true;
    };
    const first = certificate.pem;
    for (let tries = 0; tries < MANY; tries++) assertEquals(await isServedBy(first), true);
    await certificate.renew("second");
    await engine.reload(config);
    // files are checked and used a moment later
    for (let served = 0; served < MANY;) served = await isServedBy(certificate.pem) ? served + 1 : 0;
  },
});
