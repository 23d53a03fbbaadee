/** Messages for errors of Redis servers, with the setting to check. */

import { messageOf } from "../../errors.ts";

/** By the beginning of the error of the server or the platform, which is appended. */
const MEANINGS: readonly (readonly [report: RegExp, meaning: string])[] = [
  [/^NOAUTH/, "it requires a password: set password_file"],
  [/^WRONGPASS/, "it rejects the user or the password: check username and password_file"],
  // the answer of a server without users to HELLO with AUTH
  [/AUTH.* without any password configured/, "it has no password: remove password_file"],
  [
    /^NOPERM/,
    "the user lacks a permission: it needs +hmget +hscan +ping +role +client|tracking, and access to the key (~KEY)",
  ],
  [/^WRONGTYPE/, "the key is not a hash: check key"],
  [/^LOADING/, "it is still loading its data"],
  [/^MOVED|^ASK/, "the key is at another server of the cluster: check cluster"],
  [/^CLUSTERDOWN/, "the cluster cannot serve the key: a master is down and has no replica"],
  [/^MASTERDOWN/, "it is a replica that has lost its master"],
  [/cluster support disabled/, "it is not a cluster: set url instead of cluster"],
  [/unknown command.*SENTINEL/i, "it is not a sentinel: set url instead of sentinel"],
  [/^NOPROTO|unknown command.*HELLO/i, "it does not speak RESP3: Redis 6 or later is needed"],
  [/^ERR max number of clients/, "it has reached its maxclients"],
  [/^DENIED/, "it runs in protected mode: set a password, or protected-mode no"],
  [/^Unknown RESP type/, "not a Redis server: check host and port"],
  [/ECONNREFUSED/, "it refused the connection"],
  [/ENOTFOUND|EAI_AGAIN/, "its name could not be resolved"],
  [/Hostname.IP does not match/, "its certificate is for another name: set tls.server_name"],
  [
    /self-signed certificate|unable to get (local )?issuer|UnknownIssuer/i,
    "its certificate is not trusted: set tls.ca",
  ],
  [/^Socket closed unexpectedly|ECONNRESET/, "it closed the connection"],
  [/DB index is out of range/, "it has no such database: check database"],
];

/** The message for `error`. */
export function errorText(error: unknown): string {
  const report = messageOf(error) || String(error);
  const [, meaning] = MEANINGS.find(([pattern]) => pattern.test(report)) ?? [];
  return meaning === undefined ? report : `${meaning} (${report})`;
}
