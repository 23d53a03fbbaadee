/** A server whose network drops every packet, in a network namespace of its own. */

import { assert, assertEquals } from "../assert.ts";

/** The other end of the virtual cable has no address, so nothing answers. */
const SETUP = [
  "ip link set lo up",
  "ip link add lost type veth peer name void",
  "ip addr add 10.255.0.1/24 dev lost",
  "ip link set lost up",
  "ip link set void up",
  "ip neigh add 10.255.0.2 lladdr 02:00:00:00:00:01 dev lost",
].join(" && ");

/** Runs a command in a network namespace in which 10.255.0.0/24 answers nothing. */
async function inNamespace(command: string): Promise<Deno.CommandOutput | undefined> {
  try {
    return await new Deno.Command("unshare", { args: ["--net", "sh", "-c", `${SETUP} && ${command}`] })
      .output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const script = new URL("dropped_syn.ts", import.meta.url).pathname;

Deno.test({
  name: "a server whose network drops every packet costs a client its share of the time, until it is ejected",
  ignore: !(await inNamespace("true"))?.success, // it needs root, unshare and ip
  async fn() {
    const output = await inNamespace(`${Deno.execPath()} run --allow-all --no-prompt --quiet ${script}`);
    const text = new TextDecoder();
    assert(output?.success, text.decode(output?.stderr));
    const { clients, after, left } = JSON.parse(text.decode(output.stdout)) as Result;
    const waited = clients.filter(({ attempts }) => attempts === 2);
    assert(waited.length >= 5, "clients of the lost server have tried it");
    assert(waited.every(({ wait }) => wait >= 299), "each has given it half of timeouts.connect");
    assert(clients.every(({ attempts }) => attempts <= 2), "and no server is tried twice");
    assertEquals([after, left], [1, 0], "it is tried no more, and no connect is left");
  },
});

interface Result {
  readonly clients: readonly { readonly attempts: number; readonly wait: number }[];
  /** Attempts of a client that comes later. */
  readonly after: number;
  /** Pending connects. */
  readonly left: number;
}
