import { readFlags } from "../../lib/cli/flags.ts";
import { readSettings, SERVE_FLAGS } from "../../lib/cli/settings.ts";
import type { ListenerConfig } from "../../lib/config/config.ts";
import { assertEquals } from "../assert.ts";
import { configTo } from "../fixture.ts";

const spec = { name: "serve", summary: "", flags: SERVE_FLAGS };
const address = { host: "0.0.0.0", port: 8888 };

async function warningOf(listener: ListenerConfig, ...args: string[]): Promise<string | undefined> {
  const config = configTo(9, { listeners: [listener] });
  return (await readSettings(readFlags(args, spec), { load: () => Promise.resolve(config) })).warning;
}

Deno.test("--listen in place of listeners with further settings causes a warning", async () => {
  const tls = { cert: "cert.pem", key: "key.pem" };
  assertEquals(
    await warningOf({ address, tls, websocket: false }, "--listen", ":9000"),
    "--listen replaces the listeners of the file, without tls and websocket of 0.0.0.0:8888",
  );
  assertEquals(await warningOf({ address, tls }), undefined);
  assertEquals(await warningOf({ address }, "--listen", ":9000"), undefined);
});
