import { assertEquals, assertInstanceOf, assertStringIncludes } from "../../assert.ts";
import { Certificate, hasOpenssl } from "../../certificates.ts";
import { Connector, readFields } from "../../../lib/route/redis/connector.ts";
import { hasRedis, KEY, redisConfig, type RedisServer, redisTest, sharedRedis } from "../../redis.ts";
import { startEcho } from "../../upstreams.ts";

const shared = sharedRedis();

/** A file with a password, until it is disposed of. */
async function passwordFile(password: string) {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, `${password}\n`);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** The value of the ID `a`, or the error that it cannot be read with. */
async function read(fields: string): Promise<string | null | undefined> {
  try {
    using link = await new Connector(redisConfig(fields)).connect(() => {});
    const [value] = await readFields(link, KEY, ["a"]);
    return value;
  } catch (error) {
    assertInstanceOf(error, Error);
    return error.message;
  }
}

redisTest("a user needs only the permissions in docs/configuration.md", async () => {
  const server = shared.get();
  const page = await Deno.readTextFile(new URL("../../../docs/configuration.md", import.meta.url));
  const [, command = ""] = /^ACL (SETUSER switchyard .*)$/m.exec(page) ?? [];
  await server.command("ACL", ...command.replace("PASSWORD", "right").split(" "));
  await server.set({ a: "h:1" });
  await using right = await passwordFile("right");
  await using wrong = await passwordFile("wrong");
  const url = `url: "redis://${server.address}", username: switchyard`;
  assertEquals(await read(`${url}, password_file: ${right.path}`), "h:1");
  assertStringIncludes(
    await read(`${url}, password_file: ${wrong.path}`) ?? "",
    "check username and password_file",
  );
  assertStringIncludes(await read(`${url}, password_file: /none`) ?? "", "/none: there is no such file");
  const other = await read(`${url}, password_file: ${right.path}, key: other`);
  assertStringIncludes(other ?? "", "the user lacks a permission");
});

redisTest("a key that is not a hash, and a missing database, are reported", async () => {
  const server = shared.get();
  await server.command("SET", "text", "x");
  const url = `url: "redis://${server.address}"`;
  assertStringIncludes(await read(`${url}, key: text`) ?? "", "the key is not a hash: check key");
  assertStringIncludes(await read(`${url}, database: 99`) ?? "", "check database");
});

Deno.test("a server that is not Redis, and one that is down, are reported", async () => {
  await using echo = startEcho();
  const answer = await read(`url: "redis://127.0.0.1:${echo.port}", timeout: 500ms`);
  assertStringIncludes(answer ?? "", `127.0.0.1:${echo.port}: `);
  assertStringIncludes(
    await read('url: "redis://127.0.0.1:1"') ?? "",
    "127.0.0.1:1: it refused the connection",
  );
  assertStringIncludes(await read('url: "redis://a.invalid"') ?? "", "its name could not be resolved");
});

/** Has the server listen for TLS as well, on another port. */
async function listenTls(server: RedisServer, { cert, key }: { cert: string; key: string }): Promise<number> {
  const files = ["tls-cert-file", cert, "tls-key-file", key, "tls-ca-cert-file", cert];
  for (let port = server.port + 1;; port++) {
    try {
      await server.command("CONFIG", "SET", ...files, "tls-auth-clients", "no", "tls-port", `${port}`);
      return port;
    } catch (error) {
      if (port > server.port + 20) throw error;
    }
  }
}

Deno.test({
  name: "TLS is spoken to rediss://, and the certificate has to be trusted",
  ignore: !hasRedis || !hasOpenssl,
  async fn() {
    const server = shared.get();
    await using certificate = await Certificate.create("redis");
    const port = await listenTls(server, certificate.files);
    await server.set({ a: "h:1" });
    const ca = `ca: ${certificate.files.cert}`;
    const url = `url: "rediss://127.0.0.1:${port}"`;
    assertEquals(await read(`${url}, tls: { ${ca} }`), "h:1");
    assertStringIncludes(await read(url) ?? "", "its certificate is not trusted: set tls.ca");
    const other = await read(`${url}, tls: { ${ca}, server_name: other.example.com }`);
    assertStringIncludes(other ?? "", "its certificate is for another name: set tls.server_name");
    const plain = await read(`url: "rediss://${server.address}", timeout: 300ms`);
    assertStringIncludes(plain ?? "", "does it speak TLS?");
  },
});
