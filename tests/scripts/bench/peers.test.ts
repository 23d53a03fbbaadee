import { isInstalled } from "../../../scripts/bench/processes.ts";
import { assert, assertEquals } from "../../assert.ts";
import { SOAK } from "../../soak.ts";

const PEERS = new URL("../../../scripts/bench/peers.ts", import.meta.url).pathname;
const ROOT = new URL("../../../", import.meta.url).pathname;

async function peers(...args: string[]) {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "--allow-all", PEERS, ...args] });
  const { success, stdout, stderr } = await command.output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return { success, lines, stderr: new TextDecoder().decode(stderr) };
}

const ignore = Deno.build.os !== "linux" || !await isInstalled("cc");

Deno.test({ name: "the benchmark measures this checkout beside another one", ignore }, async () => {
  const modes = SOAK ? ["rtt", "connect", "paced"] : ["rtt"];
  const flags = ["--rounds", "1", "--seconds", "0.2", "--modes", modes.join(), "--alone", "--bare"];
  const { success, lines, stderr } = await peers(...flags, "--against", ROOT);
  assert(success, stderr);
  const figures = JSON.parse(lines.at(-1) ?? "");
  for (const mode of modes) assert(`${mode}.p99_us` in figures || `${mode}.per_s` in figures, lines.at(-1));
  for (const [name, { switchyard, against, bare }] of Object.entries<Record<string, number>>(figures)) {
    if (!name.endsWith("cpu_us")) {
      assert(Number(switchyard) > 0 && Number(against) > 0 && Number(bare) > 0, name);
    }
  }
});

Deno.test("an unknown mode is an error that lists the modes", async () => {
  const { success, stderr } = await peers("--modes", "fast");
  assertEquals(success, false);
  assert(/unknown mode "fast"; there are rtt, paced, connect, /.test(stderr), stderr);
});
