/** The PROXY protocol with HAProxy, as the sender and as the receiver, if it is installed. */

import { assert, assertEquals } from "../assert.ts";
import { pause } from "../wait.ts";
import { parseProxyHeader } from "../../lib/transport/proxy_protocol/header.ts";
import { concat, ID, receive, send } from "../bytes.ts";
import { startUpstream } from "../upstreams.ts";
import { Running, start } from "./processes.ts";

const installed = await isInstalled();

async function isInstalled(): Promise<boolean> {
  try {
    return (await new Deno.Command("haproxy", { args: ["-v"], stdout: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A port on which nothing listens, on either loopback address. */
function freePort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}

/** A folder for files of a test. */
async function folder() {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** HAProxy with these sections. Resolves once it accepts connections on `ready`. */
async function startHaproxy(file: string, sections: string, ready: Deno.ConnectOptions): Promise<Running> {
  const settings = "defaults\n mode tcp\n timeout connect 2s\n timeout client 10s\n timeout server 10s\n";
  await Deno.writeTextFile(file, `${settings}${sections}`);
  const command = new Deno.Command("haproxy", {
    args: ["-f", file, "-db"],
    stdout: "piped",
    stderr: "piped",
  });
  const haproxy = new Running(command.spawn());
  for (let tries = 0;; tries++) {
    try {
      (await Deno.connect(ready)).close();
      return haproxy;
    } catch (error) {
      if (tries === 100) throw new Error(`HAProxy does not accept: ${haproxy.stderr.text}`, { cause: error });
      await pause(50);
    }
  }
}

async function startSwitchyard(file: string, config: string): Promise<{ balancer: Running; port: number }> {
  await Deno.writeTextFile(file, config);
  const balancer = start({ command: [] }, [
    "serve",
    "-c",
    file,
    "--log-level",
    "debug",
    "--log-format",
    "json",
  ]);
  await balancer.stderr.until("listening on");
  const [, port] = /listening on [^"\n]*:(\d+)/.exec(balancer.stderr.text) ?? [];
  assert(port !== undefined, balancer.stderr.text);
  return { balancer, port: Number(port) };
}

/** An upstream that records what each connection sends, and answers with the end of it. */
function startListener() {
  const heard: Uint8Array[] = [];
  const upstream = startUpstream(async (conn) => {
    const index = heard.push(new Uint8Array()) - 1;
    for (let answered = false;;) {
      const bytes = new Uint8Array(1024);
      const count = await conn.read(bytes);
      if (count === null) return;
      heard[index] = concat(heard[index] ?? bytes, bytes.subarray(0, count));
      if (answered || !endsWith(heard[index], ID)) continue;
      await send(conn, ID);
      answered = true;
    }
  });
  return { heard, ...upstream };
}

function endsWith(bytes: Uint8Array, end: Uint8Array): boolean {
  return end.every((byte, index) => bytes.at(index - end.length) === byte);
}

for (const [version, sending] of [["v1", "send-proxy"], ["v2", "send-proxy-v2"]] as const) {
  Deno.test({
    name:
      `HAProxy sends PROXY ${version}: the client's own address is logged, and nothing of its health checks`,
    ignore: !installed,
    async fn() {
      await using files = await folder();
      await using upstream = startListener();
      const { balancer, port } = await startSwitchyard(
        `${files.path}/routes.yaml`,
        `limits: { connections: 100 }
listeners: [{ address: "127.0.0.1:0", proxy_protocol: { trusted: [127.0.0.0/8] } }]
routes: [{ id: 1, host: 127.0.0.1, port: ${upstream.port} }]
proxy_protocol: ${version}
deny: [127.0.0.0/8]
`,
      );
      await using _balancer = balancer;
      // the client comes over IPv6 and HAProxy over IPv4, so that the two cannot be mistaken for each other
      const front = freePort("::1");
      await using _haproxy = await startHaproxy(
        `${files.path}/haproxy.cfg`,
        `listen l
 bind [::1]:${front}
 option tcp-check
 server s 127.0.0.1:${port} ${sending} check check-send-proxy inter 20ms
`,
        { hostname: "::1", port: front },
      );
      using client = await Deno.connect({ hostname: "::1", port: front });
      await send(client, ID);
      assertEquals(await receive(client, ID.length), ID);
      const { hostname, port: own } = client.localAddr;
      const outcome = parseProxyHeader(upstream.heard[0] ?? new Uint8Array());
      assert(outcome.kind === "complete");
      assertEquals(outcome.endpoints?.source, { hostname, port: own });
      client.close();
      await balancer.stderr.until(`"client":"[::1]:${own}"`);
      // HAProxy ends its checks by a reset, mostly before they are accepted: then they leave no trace
      await pause(300);
      const others = lines(balancer, '"access"').filter((line) => !line.includes(`[::1]:${own}`));
      assertEquals(others, []);
      assertEquals(lines(balancer, '"error"').concat(lines(balancer, '"warning"')), []);
    },
  });

  Deno.test({
    name: `HAProxy accepts PROXY ${version}, and passes the client's address on`,
    ignore: !installed,
    async fn() {
      await using files = await folder();
      await using upstream = startListener();
      const back = freePort("127.0.0.1");
      await using _haproxy = await startHaproxy(
        `${files.path}/haproxy.cfg`,
        `listen l
 bind 127.0.0.1:${back} accept-proxy
 server s 127.0.0.1:${upstream.port} send-proxy
`,
        { hostname: "127.0.0.1", port: back },
      );
      const { balancer, port } = await startSwitchyard(
        `${files.path}/routes.yaml`,
        `limits: { connections: 100 }
listeners: [{ address: "[::1]:0" }]
routes: [{ id: 1, host: 127.0.0.1, port: ${back} }]
proxy_protocol: ${version}
`,
      );
      await using _balancer = balancer;
      using client = await Deno.connect({ hostname: "::1", port });
      await send(client, ID);
      assertEquals(await receive(client, ID.length), ID);
      const heard = upstream.heard.find((bytes) => bytes.length > 0) ?? new Uint8Array();
      const outcome = parseProxyHeader(heard);
      assert(outcome.kind === "complete", new TextDecoder().decode(heard));
      const ends = ({ hostname, port }: Deno.NetAddr) => ({ hostname, port });
      assertEquals(outcome.endpoints, {
        source: ends(client.localAddr),
        destination: ends(client.remoteAddr),
      });
      assertEquals(heard.subarray(outcome.length), ID);
    },
  });
}

/** The lines of the log that contain `word`. */
function lines(balancer: Running, word: string): string[] {
  return balancer.stderr.text.split("\n").filter((line) => line.includes(word));
}
