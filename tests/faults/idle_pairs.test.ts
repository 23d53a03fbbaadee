/** Thousands of connections. Upstream, balancer and clients are processes of their own, since they need many open files. */

import { assert, assertEquals } from "../assert.ts";
import { start } from "../e2e/processes.ts";
import { ID, receive, send } from "../bytes.ts";
import { sized } from "../soak.ts";

const PAIRS = sized(9_000, 0.05);
/** Whether a process may have the two open files of each pair. */
function filesSuffice(): boolean {
  if (Deno.build.os !== "linux") return false;
  const [, hard = "0"] = /Max open files\s+\d+\s+(\w+)/.exec(Deno.readTextFileSync("/proc/self/limits")) ??
    [];
  return hard === "unlimited" || Number(hard) >= 2 * PAIRS + 500;
}

async function startOn(args: string[]) {
  const process = start({ command: [] }, args);
  const output = args[0] === "serve" ? process.stderr : process.stdout;
  await output.until("listening on");
  const [, port] = /listening on 127\.0\.0\.1:(\d+)/.exec(output.text) ?? [];
  assert(port !== undefined, output.text);
  return { process, port: Number(port) };
}

Deno.test({
  name: `${PAIRS} idle pairs are held, and a new connection is answered promptly`,
  ignore: !filesSuffice(),
  async fn() {
    const { process: upstream, port: echo } = await startOn(
      ["upstream", "--listen", "127.0.0.1:0", "--mode", "echo"],
    );
    await using _upstream = upstream;
    const { process: balancer, port } = await startOn(
      ["serve", "--listen", "127.0.0.1:0", "--route", `1=127.0.0.1:${echo}`],
    );
    await using _balancer = balancer;
    const open = async () => {
      const client = await Deno.connect({ hostname: "127.0.0.1", port });
      await send(client, ID);
      assertEquals((await receive(client, ID.length)).length, ID.length);
      return client;
    };
    const clients: Deno.Conn[] = [];
    try {
      const opening = async () => {
        while (clients.length < PAIRS) clients.push(await open());
      };
      await Promise.all(Array.from({ length: 50 }, opening));
      const started = performance.now();
      clients.push(await open());
      const took = performance.now() - started;
      // five milliseconds on a quiet machine
      assert(took < 1000, `a new connection took ${took} ms`);
      for (const client of clients) {
        await send(client, ID);
        assertEquals((await receive(client, ID.length)).length, ID.length);
      }
    } finally {
      for (const client of clients) client.close();
    }
  },
});
