/** Values of flags. Each wrong one is added to `problems`, so that all are reported at once. */

import type { ClientTarget, ClientTls } from "../acceptance/connect.ts";
import type { HostPort } from "../config/config.ts";
import {
  ADDRESS_EXPECTED,
  parseAddress,
  parseDuration,
  parseHost,
  parsePort,
  parseUpstream,
} from "../config/values.ts";
import { messageOf } from "../errors.ts";
import { readCertificates, readKeyPair } from "../transport/tls/certificates.ts";
import { readAhead } from "../transport/tls/files.ts";
import { nearest, quote } from "../util/text.ts";
import type { ParsedFlags } from "./flags.ts";

/**
 * An address to listen on; with port 0 the system chooses one.
 *
 * @param others Other values that are allowed, such as `off or `.
 */
export function listenAddress(flag: string, text: string, problems: string[], others = ""): HostPort {
  const parsed = parseAddress(text, 0);
  if (!parsed) {
    problems.push(`${flag}: ${quote(text)} is not ${others}${ADDRESS_EXPECTED}${addressHint(text)}`);
  }
  return parsed ?? { host: "", port: 0 };
}

/** An address to connect to. One that a listener is bound to, such as 0.0.0.0:8888, stands for this machine. */
export function connectAddress(
  flag: string,
  text: string,
  problems: string[],
  example = "127.0.0.1:8888",
): HostPort {
  const parsed = parseAddress(text);
  if (!parsed) {
    problems.push(
      `${flag}: ${quote(text)} is not an address, such as ${example}${addressHint(text, example)}`,
    );
  }
  return local(parsed ?? { host: "", port: 0 });
}

/** The address at which this machine reaches a listener that is bound to `address`. */
export function local({ host, port }: HostPort): HostPort {
  if (host === "" || host === "0.0.0.0") return { host: "127.0.0.1", port };
  return { host: host === "::" ? "::1" : host, port };
}

/** What `text` lacks to be an address. */
function addressHint(text: string, example = ":8888"): string {
  if (parsePort(text)) return `; did you mean :${text}?`;
  if (parseHost(text)?.includes(":")) return "; write an IPv6 address in brackets: [::1]:9000";
  if (parseHost(text)) return `; did you mean ${text}${example.slice(example.lastIndexOf(":"))}?`;
  const [, digits] = /:(-?\d+)$/.exec(text) ?? [];
  return digits === undefined || parsePort(digits) ? "" : "; a port is 1 to 65535";
}

/** An upstream, which unlike an address to listen on always has a host. */
export function upstream(flag: string, text: string, problems: string[]): HostPort {
  const parsed = parseUpstream(text);
  if (!parsed) problems.push(`${flag}: ${quote(text)} is not HOST:PORT, such as n1.example.com:7777`);
  return parsed ?? { host: "", port: 0 };
}

/** The format of a target, for messages. */
const TARGET_EXPECTED = "HOST:PORT, tls://HOST:PORT, ws://HOST:PORT/PATH or wss://HOST:PORT/PATH";

/** Default ports of URLs (RFC 6455, section 3). */
const URL_PORTS: Readonly<Record<string, string>> = { "ws:": "80", "wss:": "443" };

/** The flags for the target of a client. */
export const TARGET_FLAGS = {
  connect: { value: "TARGET", help: `the balancer: ${TARGET_EXPECTED} (127.0.0.1:8888)` },
  ca: {
    value: "FILE",
    help: "certificates to trust for tls:// and wss://, in PEM, besides those that Deno trusts",
  },
  cert: { value: "FILE", help: "the client's own certificate, in PEM, with --key" },
  key: { value: "FILE", help: "its private key, in PEM" },
} as const;

/** The target that `TARGET_FLAGS` name. */
export async function targetFlag(flags: ParsedFlags, problems: string[]): Promise<ClientTarget> {
  const found = parseTarget(flags.value("connect") ?? "127.0.0.1:8888", problems);
  const given = ["ca", "cert", "key"].filter((name) => flags.value(name) !== undefined);
  if (given.length === 0) return found;
  if (found.tls) return { ...found, tls: await clientTls(flags, problems) };
  const only = "only with --connect tls://HOST:PORT or wss://HOST:PORT/PATH";
  problems.push(...given.map((name) => `--${name}: ${only}`));
  return found;
}

async function clientTls(flags: ParsedFlags, problems: string[]): Promise<ClientTls> {
  const [ca, cert, key] = ["ca", "cert", "key"].map((name) => flags.value(name));
  const read = await readAhead([ca, cert, key].filter((file) => file !== undefined));
  const attempt = <T>(flag: string, use: () => T): T | undefined => {
    try {
      return use();
    } catch (error) {
      problems.push(`${flag}: ${messageOf(error)}`);
      return undefined;
    }
  };
  if ((cert === undefined) !== (key === undefined)) problems.push("--cert, --key: only together");
  const trusted = ca === undefined ? undefined : attempt("--ca", () => readCertificates(ca, read));
  const own = cert === undefined || key === undefined
    ? undefined
    : attempt("--cert, --key", () => readKeyPair({ cert, key }, read));
  return { ...(trusted !== undefined && { ca: trusted }), ...(own && { own }) };
}

function parseTarget(text: string, problems: string[]): ClientTarget {
  if (!text.includes("://")) return connectAddress("--connect", text, problems);
  const found = parseTlsUrl(text) ?? parseWebSocketUrl(text);
  if (!found) problems.push(`--connect: ${quote(text)} is not ${TARGET_EXPECTED}`);
  return found ?? { host: "", port: 0 };
}

/** Raw frames over TLS: an address behind the scheme, and no path. */
function parseTlsUrl(text: string): ClientTarget | undefined {
  const [, rest = ""] = /^tls:\/\/([^/]+)\/?$/i.exec(text) ?? [];
  const found = parseUpstream(rest);
  return found && { ...found, tls: {} };
}

/** RFC 6455, section 3: neither a user nor a fragment. */
function parseWebSocketUrl(text: string): ClientTarget | undefined {
  const url = URL.parse(text);
  if (!url || url.username !== "" || url.password !== "" || text.includes("#")) return undefined;
  const found = parseUpstream(`${url.hostname}:${url.port || URL_PORTS[url.protocol]}`);
  if (!found || !Object.hasOwn(URL_PORTS, url.protocol)) return undefined;
  const path = url.pathname + url.search;
  return url.protocol === "wss:" ? { ...found, path, tls: {} } : { ...found, path };
}

/** One of a few words; undefined if the flag is not given. */
export function choiceFlag<T extends string>(
  name: string,
  allowed: readonly T[],
  flags: ParsedFlags,
  problems: string[],
): T | undefined {
  const text = flags.value(name);
  const found = allowed.find((value) => value === text);
  if (text !== undefined && !found) {
    const near = nearest(text, allowed) ?? allowed.find((value) => value.startsWith(text));
    problems.push(
      `--${name}: ${quote(text)} is not one of ${allowed.join(", ")}${near ? `; did you mean ${near}?` : ""}`,
    );
  }
  return found;
}

/** The range and the default of a whole number. */
export interface WholeNumber {
  /** The default. */
  readonly otherwise: number;
  /** @default 0 */
  readonly least?: number;
  /** @default 4294967295 */
  readonly most?: number;
}

/** A whole number. */
export function wholeNumberFlag(
  name: string,
  flags: ParsedFlags,
  wanted: WholeNumber,
  problems: string[],
): number {
  const { otherwise, least = 0, most = 2 ** 32 - 1 } = wanted;
  const text = flags.value(name);
  if (text === undefined) return otherwise;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  problems.push(`--${name}: ${quote(text)} is not a whole number, ${least} to ${most}`);
  return otherwise;
}

/** A time of more than 0, in milliseconds. */
export function durationFlag(
  name: string,
  flags: ParsedFlags,
  otherwise: number,
  problems: string[],
): number {
  const text = flags.value(name);
  if (text === undefined) return otherwise;
  const milliseconds = parseDuration(text);
  if (!milliseconds) {
    problems.push(`--${name}: ${quote(text)} is not a time above 0 with its unit, such as 250ms, 5s or 1m`);
  }
  return milliseconds || otherwise;
}
