/** Durations and addresses as people write them. */

import type { HostPort } from "./config.ts";

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Longest duration: what a timer can hold, 24 days. */
const MAX_MILLISECONDS = 2 ** 31 - 1;

/** What a duration looks like, for messages. */
export const DURATION_WANTED = "a duration with its unit, such as 250ms, 5s, 10m or 1h";

/** What an address looks like, for messages. */
export const ADDRESS_WANTED = "an address, such as 0.0.0.0:8888, [::1]:9000 or :8888";

/** Milliseconds of `250ms`, `5s`, `10m`, `1h` or `0`; undefined where `text` is no duration. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const scale = MILLISECONDS[unit];
  if (amount === undefined || scale === undefined) return undefined;
  const milliseconds = Math.round(Number(amount) * scale);
  return milliseconds <= MAX_MILLISECONDS ? milliseconds : undefined;
}

/** A port in decimal, `least` to 65535; undefined for anything else. */
export function parsePort(text: string, least = 1): number | undefined {
  const port = /^(0|[1-9]\d{0,4})$/.test(text) ? Number(text) : NaN;
  return port >= least && port <= 65535 ? port : undefined;
}

/**
 * Host and port of `host:port`, `[::1]:9000` or `:8888` (every IPv4 address); undefined where `text` is no address.
 *
 * @param least The lowest port: 0 where a listener may let the system choose.
 */
export function parseAddress(text: string, least = 1): HostPort | undefined {
  const [, bracketed, plain = "", digits = ""] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]*)):(\d+)$/.exec(text) ?? [];
  const port = parsePort(digits, least);
  return port === undefined ? undefined : { host: bracketed ?? (plain || "0.0.0.0"), port };
}
