/** `switchyard health`: asks a running balancer whether it accepts connections, for containers and supervisors. */

import type { Config, HostPort } from "../config/config.ts";
import { emptyConfig } from "../config/parse.ts";
import { messageOf, UsageError } from "../errors.ts";
import { connectCanceller } from "../upstream/cancel.ts";
import { durationText, hostPortText, plain } from "../util/text.ts";
import { adminAddress, askAdmin } from "./admin_client.ts";
import { painter } from "./colors.ts";
import { type CommandSpec, type ParsedFlags, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { FILE_FLAG, readSettings } from "./settings.ts";
import { connectAddress, durationFlag, local } from "./values.ts";

/** Default of `--timeout`, in milliseconds: shorter than the usual timeout of supervisors. */
const TIMEOUT_MS = 3000;

export const spec: CommandSpec = {
  name: "health",
  summary: "Asks the balancer on this machine whether it accepts connections: exit status 0 or 1.",
  flags: {
    ...FILE_FLAG,
    admin: { value: "HOST:PORT", help: "ask /readyz of this admin listener; no file is read" },
    connect: { value: "HOST:PORT", help: "connect here and close again; no file is read" },
    timeout: { value: "TIME", help: "how long to wait for an answer (3s)" },
  },
  examples: ["health", "health --admin 127.0.0.1:9090"],
};

/** An address and the check to make there. */
interface Probe {
  readonly at: HostPort;
  readonly ask: (at: HostPort, timeout: number) => Promise<string>;
}

/** Exit status 0 if the balancer is ready, 1 if it is not. @throws {UsageError} if a flag is wrong */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const flags = readFlags(args, spec);
  const problems: string[] = [];
  const timeout = durationFlag("timeout", flags, TIMEOUT_MS, problems);
  const named = namedProbe(flags, problems);
  if (problems.length > 0) throw new UsageError(problems);
  const { at, ask } = named ?? await configuredProbe(flags, io);
  try {
    io.out(`ready: ${await ask(at, timeout)}`);
    return 0;
  } catch (error) {
    io.err(`${painter(io, "err")("bad", "not ready:")} ${hostPortText(at)}: ${plain(messageOf(error))}`);
    return 1;
  }
}

function namedProbe(flags: ParsedFlags, problems: string[]): Probe | undefined {
  const [admin, connect] = [flags.value("admin"), flags.value("connect")];
  if (admin !== undefined && connect !== undefined) {
    problems.push("health: --admin and --connect cannot be given together");
  }
  if (admin !== undefined) return { at: adminAddress(admin, problems), ask: askReadiness };
  if (connect === undefined) return undefined;
  return { at: connectAddress("--connect", connect, problems), ask: askListener };
}

/** The configured admin listener, or the first listener if there is none or if its port is 0. */
async function configuredProbe(flags: ParsedFlags, io: Io): Promise<Probe> {
  const { admin, listeners: [listener] } = await readConfig(flags, io);
  if (admin && admin.address.port !== 0) return { at: local(admin.address), ask: askReadiness };
  if (listener === undefined) throw new UsageError("health: the configuration has no listener");
  return { at: local(listener.address), ask: askListener };
}

/** A file that has become invalid does not make a running balancer unhealthy: it keeps its previous configuration. */
async function readConfig(flags: ParsedFlags, io: Io): Promise<Config> {
  try {
    return (await readSettings(flags)).config;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.err(
      `cannot read the listeners from the configuration, trying the default one: ${plain(messageOf(error))}`,
    );
    return emptyConfig();
  }
}

/** Connects and closes: the balancer treats that as a probe and logs it at level `debug` only. */
async function askListener(at: HostPort, timeout: number): Promise<string> {
  const canceller = connectCanceller();
  const timer = setTimeout(() => canceller.abort(), timeout);
  try {
    const conn = await Deno.connect({ hostname: at.host, port: at.port, signal: canceller.signal });
    conn.close();
  } catch (error) {
    throw canceller.signal.aborted ? new Error(`no answer within ${durationText(timeout)}`) : error;
  } finally {
    clearTimeout(timer);
  }
  return `${hostPortText(at)} accepts connections`;
}

async function askReadiness(at: HostPort, timeout: number): Promise<string> {
  const { status } = await askAdmin(at, "/readyz", timeout);
  if (status !== 200) throw new Error(`/readyz answers with status ${status}`);
  return `${hostPortText(at)} answers /readyz with status 200`;
}
