import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { Authority, Certificate, hasOpenssl } from "../certificates.ts";
import { run } from "./command.ts";

Deno.test({
  name: "check reports every TLS file that cannot be used, and accepts the others",
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
  name: "check warns of a certificate that has expired",
  ignore: !hasOpenssl,
  async fn() {
    await using authority = await Authority.create();
    const { cert, key } = await authority.issue("old", { expired: true });
    const listener = `{ address: "127.0.0.1:0", tls: { cert: ${cert}, key: ${key} } }`;
    await Deno.writeTextFile(`${cert}.yaml`, `listeners: [${listener}]\nroutes: []\n`);
    const { status, out } = await run("check", `${cert}.yaml`);
    assertEquals(status, 0);
    assertEquals(out.at(-1), "warning: listeners[0].tls.cert: the certificate has expired: renew it");
  },
});

Deno.test({
  name: "check and serve refuse a key that does not match with the same line and exit status 2",
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

Deno.test({
  name: "check summarizes listeners, limits and timeouts, and warns of probable mistakes",
  ignore: !hasOpenssl,
  async fn() {
    await using certificate = await Certificate.create("first");
    const file = `${certificate.files.cert}.yaml`;
    await Deno.writeTextFile(
      file,
      `listeners:
  - { address: ":8443", tls: { cert: cert.pem, key: key.pem }, websocket: false }
  - { address: ":8888", proxy_protocol: { trusted: [10.0.0.0/8] } }
routes: [{ match: "*", host: a, port: 1 }, { match: "eu-*", host: a, port: 1 }]
timeouts: { id: 1500ms }
`,
    );
    await Deno.chmod(file, 0o666);
    const { status, out, err } = await run("check", file);
    assertEquals([status, err], [0, []]);
    assertEquals(out[0], `${file}: ok`);
    assertMatch(out[1] ?? "", /^listener: 0\.0\.0\.0:8443: tcp, TLS \(CN=first, expires \d{4}-\d\d-\d\d\)$/);
    assertEquals(out[2], "listener: 0.0.0.0:8888: tcp and websocket, PROXY from 10.0.0.0/8");
    assertStringIncludes(out.join("\n"), "timeouts: id 1.5s, connect 3s, idle 1h,");
    assertEquals(out.filter((line) => /^ {2}\d/.test(line)), [], "a line begins with a value");
    assertEquals(out.filter((line) => line.startsWith("warning: ")), [
      'warning: routes[1].match: "eu-*" never matches: routes[0].match "*" matches all of its IDs first',
      `warning: ${file}: every user of this machine can write to it: chmod o-w`,
    ]);
    const json = JSON.parse((await run("check", "--json", "-c", file)).out.join("\n"));
    assertEquals([json.routes, json.timeouts.id, json.warnings.length], [
      { by_id: 0, by_glob: 2 },
      "1.5s",
      2,
    ]);
    assertEquals(json.listeners[0].tls.subject, "CN=first");
    assertEquals((await run("check", file, "-c", file)).status, 2);
  },
});

Deno.test("check --json prints errors as data, with exit status 2", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "routes: [{ id: 1, host: a, port: 70000 }]\n");
    const { status, out, err } = await run("check", "--json", file);
    assertEquals([status, err], [2, []]);
    assertEquals(JSON.parse(out.join("\n")), {
      problems: [{
        file,
        line: 1,
        column: 34,
        path: "routes[0].port",
        message: "found 70000, expected a port, 1 to 65535",
        found: "70000",
        wanted: "a port, 1 to 65535",
      }],
    });
    const missing = await run("check", "--json", `${file}.none`);
    assertEquals([missing.status, missing.err], [2, []]);
    assertStringIncludes(JSON.parse(missing.out.join("")).problems[0].message, "there is no such file");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("check refuses an empty file name", async () => {
  const { status, err } = await run("check", "");
  assertEquals([status, err], [2, ["switchyard: check: the argument is empty, expected FILE"]]);
});

Deno.test("check reports the file of a webhook's secret that cannot be used", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/routes.yaml`;
  const url = "http://127.0.0.1:9/";
  await Deno.writeTextFile(
    file,
    `routes: []\nwebhooks: [{ url: "${url}" }, { url: "${url}", secret_file: none }]\n`,
  );
  const { status, err } = await run("check", "-c", file);
  assertEquals([status, err], [2, [
    `switchyard: ${file}: webhooks[1].secret_file: ${folder}/none: there is no such file`,
  ]]);
  await Deno.remove(folder, { recursive: true });
});
