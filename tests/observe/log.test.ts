import { getLogger } from "@logtape/logtape";
import { Log } from "../../lib/observe/log.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals } from "../assert.ts";
import { receiveAll, send } from "../bytes.ts";
import { configTo, startBalancer, startEchoing } from "../fixture.ts";
import { pause, until } from "../wait.ts";

const FIELDS = [
  ..."time level message conn client listener transport id route upstream id_ms connect_ms duration_ms".split(
    " ",
  ),
  ..."bytes_up bytes_down attempts reason closed_by".split(" "),
];

/** Number of lost lines that `text` reports. */
function lostIn(text: string): number {
  const counts = text.matchAll(/(\d+) lines of the log were lost/g);
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** An output that records its bytes. */
function memory() {
  const output = {
    text: "",
    write(bytes: Uint8Array) {
      output.text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  return output;
}

Deno.test("each connection is one JSON line with the fields of the design", async () => {
  const output = memory();
  await using balancer = startEchoing();
  {
    await using _log = Log.start({ level: "info", format: "json" }, output);
    using client = await balancer.connect();
    await send(client, encodeId("1"));
    await client.closeWrite();
    await receiveAll(client);
    await until(() => balancer.balancer.active === 0, "the connection is accounted for");
  }
  const lines = output.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.length, 1);
  const [line] = lines;
  assertEquals(Object.keys(line), FIELDS);
  const { id, route, transport, bytes_up, bytes_down, attempts, reason, closed_by } = line;
  assertEquals(
    { id, route, transport, bytes_up, bytes_down, attempts, reason, closed_by },
    {
      id: "1",
      route: "id 1",
      transport: "tcp",
      bytes_up: 6,
      bytes_down: 6,
      attempts: 1,
      reason: "client_fin",
      closed_by: "client",
    },
  );
  assert(line.duration_ms >= line.id_ms && line.id_ms > 0 && line.connect_ms > 0);
});

for (
  const [name, level, access, lines] of [
    ["level info", "info", true, 1],
    ["level warning", "warning", true, 0],
    ["access: false", "info", false, 0],
  ] as const
) {
  Deno.test(`${name}: a connection has ${lines} lines in the access log, and a warning is logged`, async () => {
    const output = memory();
    await using balancer = startEchoing({ log: { access } });
    {
      await using _log = Log.start({ level, format: "text" }, output);
      (await balancer.join()).close();
      await until(() => balancer.balancer.active === 0, "the connection is accounted for");
      getLogger("switchyard").warning("a warning");
    }
    assertEquals(output.text.match(/ INFO {4}access /g)?.length ?? 0, lines, output.text);
    assert(/ WARNING a warning$/m.test(output.text), output.text);
  });
}

Deno.test("a probe is logged at debug level only", async () => {
  await using balancer = startBalancer(configTo(9));
  for (const [level, lines] of [["info", 0], ["debug", 1]] as const) {
    const output = memory();
    {
      await using _log = Log.start({ level, format: "json" }, output);
      (await balancer.connect()).close();
      await until(() => balancer.balancer.active === 0, "the probe is accounted for");
      await pause(50);
    }
    assertEquals(output.text.split("\n").filter((line) => line.includes('"probe"')).length, lines);
  }
});

Deno.test("lines beyond the limit are dropped while nobody reads, and their number is logged", async () => {
  const go = Promise.withResolvers<void>();
  const output = memory();
  {
    await using _log = Log.start({ level: "info", format: "text" }, {
      async write(bytes) {
        await go.promise;
        return await output.write(bytes);
      },
    });
    const log = getLogger("switchyard");
    for (let line = 0; line < 70_000; line++) {
      log.info("line");
      if (line % 10_000 === 0) await pause(0);
    }
    go.resolve();
    const written = () => output.text.match(/INFO {4}line$/gm)?.length ?? 0;
    const dropped = () => lostIn(output.text);
    await until(() => dropped() > 0 && written() + dropped() === 70_000, "every line is written or told");
  }
});

Deno.test("a log that nobody reads does not keep the process from ending", async () => {
  const stuck = Promise.withResolvers<number>();
  let ended = false;
  const log = Log.start({ level: "info", format: "text" }, { write: () => stuck.promise });
  getLogger("switchyard").info("line");
  const ending = log[Symbol.asyncDispose]().then(() => ended = true);
  await until(() => ended, "it has ended");
  stuck.resolve(1000);
  await ending;
});

/** Makes writing to `memory()` fail while a test wants it to. */
function fragile() {
  const output = memory();
  const state = { full: false, attempts: 0 };
  const write = (bytes: Uint8Array) => {
    state.attempts += 1;
    return state.full ? Promise.reject(new Error("No space left on device")) : output.write(bytes);
  };
  return { output, state, write };
}

Deno.test("the log continues where writing failed, and no line is lost", async () => {
  const { output, state, write } = fragile();
  await using _log = Log.start({ level: "info", format: "text" }, { write });
  const log = getLogger("switchyard");
  state.full = true;
  log.info("while full");
  await until(() => state.attempts > 1, "writing has failed");
  state.full = false;
  log.info("afterwards");
  await until(() => output.text.includes("afterwards"), "it is written again");
  assertEquals(output.text.match(/while full|afterwards/g), ["while full", "afterwards"]);
  assert(!output.text.includes("lost"));
});

Deno.test("lines that do not fit while the disk is full are counted, with the reason", async () => {
  const { output, state, write } = fragile();
  await using _log = Log.start({ level: "info", format: "text" }, { write });
  const log = getLogger("switchyard");
  state.full = true;
  log.info("line");
  await until(() => state.attempts > 0, "writing has failed");
  for (let line = 1; line < 70_000; line++) log.info("line");
  await pause(250);
  state.full = false;
  const written = () => output.text.match(/INFO {4}line$/gm)?.length ?? 0;
  const lost = () => lostIn(output.text);
  await until(() => written() + lost() === 70_000, "every line is written or counted");
  assert(lost() > 0 && output.text.includes("lost: it could not be written: No space left on device"));
});

Deno.test("a pipe that is full for a moment, and does not wait, loses no line", async () => {
  // the shell's reader sleeps; O_NONBLOCK makes a full pipe an error
  const script = `
    import { Log } from "./lib/observe/log.ts";
    import { getLogger } from "@logtape/logtape";
    await using _log = Log.start({ level: "info", format: "text" });
    for (let line = 0; line < 4000; line++) getLogger("switchyard").info("line " + "x".repeat(100));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    getLogger("switchyard").info("the last line");
  `;
  const nonblocking = "import os,sys; os.set_blocking(2, False); os.execvp(sys.argv[1], sys.argv[1:])";
  const command = `python3 -c '${nonblocking}' "$0" eval "$1" 2>&1 >/dev/null | (sleep 1; cat)`;
  const args = ["-c", command, Deno.execPath(), script];
  const { stdout } = await new Deno.Command("sh", { args, stdout: "piped", stderr: "inherit" }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(text.match(/line x{100}$/gm)?.length, 4000, text.slice(-300));
  assert(text.includes("the last line"), text.slice(-300));
});

Deno.test("braces in a message are written unchanged", async () => {
  const output = memory();
  const quoted = 'hash {switchyard}:routes: "{\\"host\\":1}", {{ and }}';
  {
    await using _log = Log.start({ level: "info", format: "text" }, output);
    getLogger("switchyard").warning(quoted);
    getLogger("switchyard").warning`${quoted}`;
  }
  const messages = output.text.trimEnd().split("\n").map((line) => line.split(" WARNING ")[1]);
  assertEquals(messages, [quoted, quoted]);
});
