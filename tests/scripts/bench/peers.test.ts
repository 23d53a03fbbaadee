import { isInstalled } from "../../../scripts/bench/processes.ts";
import { assert, assertEquals } from "../../assert.ts";
import { SOAK } from "../../soak.ts";

const PEERS = new URL("../../../scripts/bench/peers.ts", import.meta.url).pathname;
const ROOT = new URL("../../../", import.meta.url).pathname;

/** Measures again for longer if a busy machine completes nothing in so short a time. */
const SECONDS = ["0.2", "2", "5"];

async function peers(...args: string[]) {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "--allow-all", PEERS, ...args] });
  const { success, stdout, stderr } = await command.output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return { success, lines, stderr: new TextDecoder().decode(stderr) };
}

const ignore = Deno.build.os !== "linux" || !await isInstalled("cc");

const MODES = SOAK ? ["rtt", "connect", "paced"] : ["rtt"];

/** The rates and latencies of each program in a measurement of `seconds`. */
async function measured(seconds: string): Promise<number[]> {
  const flags = [
    "--rounds",
    "1",
    "--seconds",
    seconds,
    "--modes",
    MODES.join(),
    "--alone",
    "--bare",
    "--observed",
  ];
  const { success, lines, stderr } = await peers(...flags, "--against", ROOT);
  assert(success, stderr);
  const figures: Record<string, Record<string, number>> = JSON.parse(lines.at(-1) ?? "");
  for (const mode of MODES) assert(`${mode}.p99_us` in figures, lines.at(-1));
  return Object.entries(figures).filter(([name]) => !name.endsWith("cpu_us"))
    .flatMap(([, { switchyard, against, observed, bare }]) =>
      [switchyard, against, observed, bare].map(Number)
    );
}

Deno.test({ name: "the benchmark compares this checkout with another one", ignore }, async () => {
  for (const seconds of SECONDS) {
    if ((await measured(seconds)).every((figure) => figure > 0)) return;
  }
  throw new Error("nothing was measured");
});

Deno.test("an unknown mode is an error that lists the modes", async () => {
  const { success, stderr } = await peers("--modes", "fast");
  assertEquals(success, false);
  assert(/unknown mode "fast"; expected one of rtt, paced, connect, /.test(stderr), stderr);
});
