/** `switchyard serve` as a process with a configuration file that tests rewrite, and what it logs. */

import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { assert } from "./assert.ts";
import { type Place, start } from "./e2e/processes.ts";
import type { Transport } from "../lib/transport/duplex.ts";
import { connectOver } from "./clients.ts";
import { until } from "./wait.ts";

/** Settings that a test replaces. */
interface Options {
  /** @default one listener on any port, and the routes given */
  readonly text?: string;
  readonly flags?: readonly string[];
  readonly place?: Place;
}

/** A folder of its own with a routes.yaml, and a balancer that runs on it. */
export async function serve(routes: string, { text, flags = [], place = { command: [] } }: Options = {}) {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/routes.yaml`;
  await Deno.writeTextFile(file, text ?? `${LISTENERS}${routes}`);
  const balancer = start(place, ["serve", "-c", file, ...flags]);
  const port = await listeningPort(balancer.stderr);
  return {
    balancer,
    port,
    folder,
    file,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
    connectOver: (transport: Transport) => connectOver(transport, port),
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The first lines of each configuration. */
export const LISTENERS = 'listeners: [{ address: "127.0.0.1:0" }]\n';

/** ID 1 to `port`. */
export function routeTo(port: number, more = ""): string {
  return `routes: [{ id: 1, host: 127.0.0.1, port: ${port}${more} }]\n`;
}

async function listeningPort(stderr: { until(text: string): Promise<void>; text: string }): Promise<number> {
  await stderr.until("listening on ");
  await stderr.until("\n");
  const [, port] = /listening on 127\.0\.0\.1:(\d+)/.exec(stderr.text) ?? [];
  assert(port !== undefined, stderr.text);
  return Number(port);
}

/** A running `serve`. */
export type Serving = Awaited<ReturnType<typeof serve>>;

/** Replaces the file by renaming a new one over it. */
export async function replace({ folder, file }: Serving, text: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/new`, text);
  await Deno.rename(`${folder}/new`, file);
}

/** How often the process has logged `part`. */
export function count({ balancer }: Serving, part: string): number {
  return balancer.stderr.text.split(part).length - 1;
}

/** Waits until the process has logged `part` so many times. */
export async function said(serving: Serving, part: string, times = 1): Promise<void> {
  await until(() => count(serving, part) >= times, `it has said ${part}`, 20_000);
}

/** Collects what this thread logs until it is disposed of. */
export function captureLog() {
  const records: LogRecord[] = [];
  configureSync({
    reset: true,
    sinks: { records: (record) => void records.push(record) },
    loggers: [
      { category: "switchyard", sinks: ["records"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: ["records"], lowestLevel: "warning" },
    ],
  });
  const text = ({ message }: LogRecord) => message.join("");
  return {
    /** The messages so far that contain `part`. */
    lines: (part: string) => records.map(text).filter((line) => line.includes(part)),
    /** The reasons of the access lines so far. */
    reasons: () =>
      records.filter((record) => text(record) === "access").map(({ properties }) => properties["reason"]),
    [Symbol.dispose]: resetSync,
  };
}
