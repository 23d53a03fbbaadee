/** Requests of commands to the admin API of a running balancer. */

import { request } from "node:http";
import type { HostPort } from "../config/config.ts";
import { durationText, hostPortText, plain, quote } from "../util/text.ts";
import { messageOf } from "../errors.ts";
import { connectAddress } from "./values.ts";

/** An answer. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
}

/** Longer than any answer of the API. */
const MOST_CHARACTERS = 16 << 20;

/** The usual address of the admin listener. */
const ADMIN_EXAMPLE = "127.0.0.1:9090";

/** Time for an answer, in milliseconds. */
const TIMEOUT_MS = 5000;

/** The value of `--admin`: `host:port` or `http://host:port`. */
export function adminAddress(text: string, problems: string[]): HostPort {
  const [, hostPort = text] = /^http:\/\/([^/]+)\/?$/.exec(text) ?? [];
  return connectAddress("--admin", hostPort, problems, ADMIN_EXAMPLE);
}

const REFUSED = "connection refused; is the balancer running with this as admin.address or --admin?";

function isRefused(error: Error): boolean {
  return "code" in error && error.code === "ECONNREFUSED";
}

/** `GET path`, by `node:http`, which unlike `fetch` ignores a proxy set in the environment. */
export async function askAdmin(at: HostPort, path: string, timeout = TIMEOUT_MS): Promise<AdminAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<AdminAnswer>();
  const asked = request({ ...at, path, agent: false }, (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body += chunk;
      if (body.length > MOST_CHARACTERS) asked.destroy(new Error("the answer is too long"));
    });
    response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    response.once("error", reject);
  });
  const timer = setTimeout(
    () => asked.destroy(new Error(`no answer within ${durationText(timeout)}`)),
    timeout,
  );
  asked.once("error", (error) => reject(isRefused(error) ? new Error(REFUSED, { cause: error }) : error));
  asked.end();
  return await promise.finally(() => clearTimeout(timer));
}

/** The JSON object at `path`. @throws Error that names the address, if there is none */
export async function adminObject(at: HostPort, path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { status, body } = await askAdmin(at, path);
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null) throw new Error(`answered ${quote(body)}`);
    if (status !== 200) {
      throw new Error("error" in value ? String(value.error) : `answered with status ${status}`);
    }
    return { ...value };
  } catch (error) {
    const why = error instanceof SyntaxError
      ? "its answer is not JSON; is it a Switchyard?"
      : plain(messageOf(error));
    throw new Error(`cannot query the admin API at ${hostPortText(at)}: ${why}`, { cause: error });
  }
}
