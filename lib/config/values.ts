/** Parses values of the configuration and of the command line. Pure; undefined means that the value is invalid. */

/** A TCP address. IPv6 addresses have no brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const MILLISECONDS: ReadonlyMap<string, number> = new Map([["ms", 1], ["s", 1000], ["m", 60_000], [
  "h",
  3_600_000,
]]);

/** Longest duration, 24 days: the limit of a timer. */
const MAX_MILLISECONDS = 2 ** 31 - 1;

/** Defaults that both the schema and rules about several fields need. */
export const DEFAULTS = { idBytes: 255, drain: "30s", drainSpread: "0s" } as const;

/** The form of a duration, for messages. */
export const DURATION_EXPECTED = "a duration with its unit, such as 250ms, 5s, 10m or 1h";

/** The form of a host, for messages. */
export const HOST_EXPECTED = "a host name or IP address, without scheme, port or brackets";

/** The form of a path, for messages. */
export const PATH_EXPECTED = "a path, such as / or /ws, without a query";

/** The form of a port, for messages. */
export const PORT_EXPECTED = "a port, 1 to 65535";

/** The form of an origin, for messages. */
export const ORIGIN_EXPECTED =
  "an origin, such as https://app.example.com or http://localhost:8080, without a path";

/** The form of the origin of a page of the web, for messages. */
export const WEB_ORIGIN_EXPECTED =
  "an origin of http or https, such as https://admin.example.com, without a path";

/** The form of a URL to call, for messages. */
export const URL_EXPECTED = "a URL, such as http://127.0.0.1:8080/wake or https://example.com/wake";

/** The form of an address, for messages. */
export const ADDRESS_EXPECTED = "an address, such as 0.0.0.0:8888, [::1]:9000 or :8888";

/** The form of the address of a Redis server, for messages. */
export const REDIS_ADDRESS_EXPECTED = "an address, such as 10.0.0.1:6379 or redis.example.com:6379";

/** The form of the URL of a Redis server, for messages. */
export const REDIS_URL_EXPECTED =
  "redis://HOST:PORT, or rediss:// for TLS; user, password and database have fields of their own";

/** The form of an entry of an address list, for messages. */
export const CIDR_EXPECTED = "an address or a network, such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7";

/** Milliseconds of `250ms`, `5s`, `10m`, `1h` or `0`; undefined if `text` is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const scale = MILLISECONDS.get(unit);
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
 * Host and port of `host:port`, `[::1]:9000` or `:8888` (every IPv4 address); undefined if `text` is not an address.
 *
 * @param least The lowest port: 0 if a listener may let the system choose.
 */
export function parseAddress(text: string, least = 1): HostPort | undefined {
  return parseUpstream(text.startsWith(":") ? `0.0.0.0${text}` : text, least);
}

/** Whether `host` can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Host and port of `n1.example.com:7777` or `[::1]:9000`; undefined if `text` lacks either. */
export function parseUpstream(text: string, least = 1): HostPort | undefined {
  const [, bracketed, plain = "", digits = ""] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d+)$/.exec(text) ?? [];
  const port = parsePort(digits, least);
  const host = bracketed === undefined ? parseHost(plain) : parseIpv6(bracketed);
  return port === undefined || host === undefined ? undefined : { host, port };
}

/** `text` if it is the path of a URL: visible ASCII after a slash. */
export function parsePath(text: string): string | undefined {
  return /^\/[\x21\x22\x24-\x3e\x40-\x7e]*$/.test(text) ? text : undefined;
}

/** `text` if it is a URL of HTTP, over TLS or not; else undefined. */
export function parseHttpUrl(text: string): string | undefined {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "") ? text : undefined;
}

/** The server of a Redis URL; undefined if `text` is not one, or has a user, a password or a database in it. */
export function parseRedisUrl(text: string): HostPort & { readonly tls: boolean } | undefined {
  const [, secure, authority = ""] = /^redis(s?):\/\/([^/]+)\/?$/i.exec(text) ?? [];
  const server = parseUpstream(authority) ?? parseUpstream(`${authority}:6379`);
  return server && { ...server, tls: secure !== "" };
}

/** The origin in lower case, as browsers write it (RFC 6454, section 6.2); undefined if `text` is not one. */
export function parseOrigin(text: string): string | undefined {
  const origin = text.toLowerCase();
  if (origin === "null") return origin;
  const [, scheme = "", authority = ""] = /^([a-z][a-z0-9+.-]*):\/\/([^/]+)$/.exec(origin) ?? [];
  if (!parseUpstream(authority) && !parseUpstream(`${authority}:1`)) return undefined;
  // a browser leaves the scheme's own port out
  return /^https?$/.test(scheme) ? new URL(origin).origin : origin;
}

/** The origin of a page of the web; undefined if `text` is not one, or `null`. */
export function parseWebOrigin(text: string): string | undefined {
  const origin = parseOrigin(text);
  return origin !== undefined && /^https?:/.test(origin) ? origin : undefined;
}

/** `text` if it is a host name, an IPv4 address or an IPv6 address without brackets, else undefined. */
export function parseHost(text: string): string | undefined {
  return isIpv4(text) || isHostName(text) ? text : parseIpv6(text);
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 1123 names, and the underscores of container networks. A name that ends in a number is a botched address. */
function isHostName(text: string): boolean {
  const name = text.replace(/\.$/, "");
  if (name.length > 253 || /(^|\.)\d+$/.test(name)) return false;
  return name.split(".").every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}$/.test(label) && !label.endsWith("-"));
}

/** RFC 4291, section 2.2, with the zone of RFC 4007. */
function parseIpv6(text: string): string | undefined {
  const [, address = ""] = /^([0-9A-Fa-f:.]+)(?:%[\w.-]+)?$/.exec(text) ?? [];
  const halves = address.split("::");
  const groups = halves.map(countGroups).reduce((sum, count) => sum + count, 0);
  const fits = halves.length === 2 ? groups <= 7 : halves.length === 1 && groups === 8;
  return fits ? text : undefined;
}

/** Groups of 16 bits in one half of an IPv6 address, NaN if the half is malformed. */
function countGroups(half: string): number {
  if (half === "") return 0;
  const parts = half.split(":");
  const isMixed = isIpv4(parts.at(-1) ?? "");
  const hex = isMixed ? parts.slice(0, -1) : parts;
  return hex.every((part) => /^[0-9A-Fa-f]{1,4}$/.test(part)) ? hex.length + (isMixed ? 2 : 0) : NaN;
}

/** `text` if it is an IP address, alone or with the length of a network's prefix; else undefined. */
export function parseCidr(text: string): string | undefined {
  const [, address = "", , prefix] = /^([^/%]+)(\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const isV4 = isIpv4(address);
  if (!isV4 && parseIpv6(address) === undefined) return undefined;
  return Number(prefix ?? 0) <= (isV4 ? 32 : 128) ? text : undefined;
}

/** The requirement that `id` fails, or undefined. `id_bytes` is the longest ID allowed, in UTF-8. */
export function idExpected(id: string, id_bytes: number): string | undefined {
  const bytes = new TextEncoder().encode(id).length;
  if (bytes < 1 || bytes > id_bytes) {
    return `an ID of 1 to ${id_bytes} bytes (limits.id_bytes), not of ${bytes}`;
  }
  return isPrintable(id) ? undefined : "an ID without control characters and broken surrogates";
}

/** True for text that an ID may contain: whole Unicode characters, none of them a control character. */
export function isPrintable(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}

/** The route of one ID to one server. */
export type ExactRoute = HostPort & { readonly id: string };

/**
 * The route in `ID=HOST:PORT`, as `--route` takes it; undefined if `text` is not one. The last `=` ends the ID.
 *
 * @param id_bytes Longest ID in bytes of UTF-8.
 */
export function parseRoute(text: string, id_bytes: number = DEFAULTS.idBytes): ExactRoute | undefined {
  const end = text.lastIndexOf("=");
  const id = text.slice(0, Math.max(0, end));
  const upstream = parseUpstream(text.slice(end + 1));
  return upstream === undefined || idExpected(id, id_bytes) !== undefined ? undefined : { id, ...upstream };
}

/** The `path` of a file that the configuration `file` names: relative to the folder of that file, unless absolute. */
export function pathBeside(file: string, path: string): string {
  if (/^([/\\]|[A-Za-z]:)/.test(path)) return path;
  const [folder = ""] = /^.*[/\\]/s.exec(file) ?? [];
  return `${folder}${path}`;
}
