/** Values of flags. A wrong one is added to `problems`, so that all of a command line are told at once. */

import type { Target } from "../acceptance/connect.ts";
import type { HostPort } from "../config/config.ts";
import {
  ADDRESS_WANTED,
  DURATION_WANTED,
  parseAddress,
  parseDuration,
  parseUpstream,
} from "../config/units.ts";
import { quote } from "../text.ts";
import type { Given } from "./flags.ts";

/** An address; port 0 only where `least` is 0. */
export function address(flag: string, text: string, problems: string[], least = 1): HostPort {
  const parsed = parseAddress(text, least);
  if (!parsed) problems.push(`${flag}: ${quote(text)} is not ${ADDRESS_WANTED}`);
  return parsed ?? { host: "", port: 0 };
}

/** An upstream: unlike an address to listen on it always names a host. */
export function upstream(flag: string, text: string, problems: string[]): HostPort {
  const parsed = parseUpstream(text);
  if (!parsed) problems.push(`${flag}: ${quote(text)} is not HOST:PORT, such as n1.example.com:7777`);
  return parsed ?? { host: "", port: 0 };
}

/** What a target looks like, for messages. */
const TARGET_WANTED = "HOST:PORT or ws://HOST:PORT/PATH";

/** Port of a `ws:` URL that states none (RFC 6455, section 3). */
const WS_PORT = "80";

/** Where a client connects to: an address, or the URL of a WebSocket. */
export function target(flag: string, text: string, problems: string[]): Target {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  if (scheme === undefined) return address(flag, text, problems);
  const found = scheme.toLowerCase() === "ws" ? parseWebSocketUrl(text) : undefined;
  const hint = scheme.toLowerCase() === "wss" ? "; wss:// needs TLS, which this version does not speak" : "";
  if (!found) problems.push(`${flag}: ${quote(text)} is not ${TARGET_WANTED}${hint}`);
  return found ?? { host: "", port: 0 };
}

/** RFC 6455, section 3: neither a user nor a fragment. */
function parseWebSocketUrl(text: string): Target | undefined {
  const url = URL.parse(text);
  if (!url || url.username !== "" || url.password !== "" || text.includes("#")) return undefined;
  const found = parseUpstream(`${url.hostname}:${url.port || WS_PORT}`);
  return found && { ...found, path: url.pathname + url.search };
}

/** One of a few words, undefined where the flag is not given. */
export function choice<T extends string>(
  name: string,
  allowed: readonly T[],
  given: Given,
  problems: string[],
): T | undefined {
  const text = given.value(name);
  const found = allowed.find((value) => value === text);
  if (text !== undefined && !found) {
    problems.push(`--${name}: ${quote(text)} is not one of ${allowed.join(", ")}`);
  }
  return found;
}

/** What a whole number may be. */
export interface WholeNumber {
  /** What it is where the flag is not given. */
  readonly otherwise: number;
  /** @default 0 */
  readonly least?: number;
  /** @default 4294967295 */
  readonly most?: number;
}

/** A whole number. */
export function wholeNumber(name: string, given: Given, wanted: WholeNumber, problems: string[]): number {
  const { otherwise, least = 0, most = 2 ** 32 - 1 } = wanted;
  const text = given.value(name);
  if (text === undefined) return otherwise;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  problems.push(`--${name}: ${quote(text)} is not a whole number, ${least} to ${most}`);
  return otherwise;
}

/** A time of more than 0, in milliseconds. */
export function duration(name: string, given: Given, otherwise: number, problems: string[]): number {
  const text = given.value(name);
  if (text === undefined) return otherwise;
  const milliseconds = parseDuration(text);
  if (!milliseconds) problems.push(`--${name}: ${quote(text)} is not ${DURATION_WANTED}`);
  return milliseconds || otherwise;
}
