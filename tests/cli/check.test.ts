import { assertEquals, assertStringIncludes } from "../assert.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { run } from "./command.ts";

Deno.test({
  name: "check names every file of TLS that cannot be used, and takes those that can",
  ignore: !hasOpenssl,
  async fn() {
    await using certificate = await Certificate.create("first");
    const { cert } = certificate.files;
    const file = `${cert}.yaml`;
    const check = async (key: string, ca: string) => {
      await Deno.writeTextFile(
        file,
        `listeners: [{ address: "127.0.0.1:8443", tls: { cert: cert.pem, key: ${key} } }]
routes: [{ id: 1, host: 127.0.0.1, port: 7, tls: { ca: ${ca} } }]
`,
      );
      return await run("check", "-c", file);
    };
    assertEquals((await check("key.pem", "cert.pem")).status, 0);
    const { status, err } = await check("none.pem", "nowhere.pem");
    assertEquals([status, err.length], [2, 2]);
    assertStringIncludes(err[0] ?? "", "none.pem");
    assertStringIncludes(err[1] ?? "", "nowhere.pem");
  },
});

Deno.test({
  name: "check and serve refuse a key that does not fit with the same line and exit status 2",
  ignore: !hasOpenssl,
  async fn() {
    await using first = await Certificate.create("first");
    await using second = await Certificate.create("second");
    const file = `${first.files.cert}.yaml`;
    const tls = `tls: { cert: cert.pem, key: ${second.files.key} }`;
    await Deno.writeTextFile(file, `listeners: [{ address: "127.0.0.1:0", ${tls} }]\nroutes: []\n`);
    const [checked, served] = [await run("check", "-c", file), await run("serve", "-c", file)];
    assertEquals([checked.status, checked.err.length], [2, 1]);
    assertEquals([served.status, served.err], [2, checked.err]);
    assertStringIncludes(
      checked.err[0] ?? "",
      `${file}: listeners[0].tls: ${second.files.key}: `,
    );
  },
});
