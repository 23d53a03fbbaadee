/**
 * The forms of text in the JSON Schema, for editors. `values.ts` parses the same more strictly in rare cases: a duration
 * of more than 24 days, or an IPv6 address with a wrong number of groups.
 */

const OCTET = "(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])";
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`;
const IPV6 = "(?=[^%]*:[^%]*:)[0-9A-Fa-f:]+(?:\\.\\d+){0,3}(?:%[\\w.-]+)?";
const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const NAME = `(?!(?:[^.:/\\s]+\\.)*\\d+\\.?(?:[:/]|$))(?=[^:/]{1,254}(?:[:/]|$))${LABEL}(?:\\.${LABEL})*\\.?`;
const PORT = "(?:0|[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d\\d|655[0-2]\\d|6553[0-5])";
const HOST_PORT = `(?:${IPV4}|${NAME}|\\[${IPV6}\\])`;

/** A host name or an IP address, without brackets. */
export const HOST_PATTERN = `^(?:${IPV4}|${NAME}|${IPV6})$`;

/** An address to listen on. */
export const ADDRESS_PATTERN = `^(?:${HOST_PORT})?:${PORT}$`;

/** The address of a server. */
export const UPSTREAM_PATTERN = `^${HOST_PORT}:(?!0$)${PORT}$`;

/** The URL of a Redis server. */
export const REDIS_URL_PATTERN = `^[Rr][Ee][Dd][Ii][Ss]{1,2}://${HOST_PORT}(?::(?!0/?$)${PORT})?/?$`;

/** An IP address, alone or with a prefix length. */
export const CIDR_PATTERN =
  `^(?:${IPV4}(?:/(?:[12]?\\d|3[0-2]))?|(?!.*%)${IPV6}(?:/(?:[1-9]?\\d|1[01]\\d|12[0-8]))?)$`;

/** A duration with its unit, or 0. */
export const DURATION_PATTERN = "^(?:0|\\d+(?:\\.\\d+)?(?:ms|s|m|h))$";

/** A duration over 0. */
export const POSITIVE_DURATION_PATTERN = "^(?=.*[1-9])\\d+(?:\\.\\d+)?(?:ms|s|m|h)$";

/** The path of a URL. */
export const PATH_PATTERN = '^/[!"$->@-~]*$';

/** An origin, or `null`. */
export const ORIGIN_PATTERN =
  `^(?:[Nn][Uu][Ll][Ll]|[A-Za-z][A-Za-z0-9+.-]*://${HOST_PORT}(?::(?!0$)${PORT})?)$`;

/** An origin of HTTP. */
export const WEB_ORIGIN_PATTERN = `^[Hh][Tt][Tt][Pp][Ss]?://${HOST_PORT}(?::(?!0$)${PORT})?$`;

/** A URL of HTTP. */
export const HTTP_URL_PATTERN = "^[Hh][Tt][Tt][Pp][Ss]?:";

/** Text without control characters. */
export const PRINTABLE_PATTERN = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$";
