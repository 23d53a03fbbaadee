import { errorText } from "../../../lib/route/redis/error_text.ts";
import { assert, assertEquals } from "../../assert.ts";

for (
  const [report, advice] of [
    ["NOAUTH Authentication required.", "set password_file"],
    ["WRONGPASS invalid username-password pair or user is disabled.", "check username and password_file"],
    ["NOPERM this user has no permissions to run the 'hmget' command", "+hmget"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "check key"],
    ["LOADING Redis is loading the dataset in memory", "still loading"],
    ["MOVED 7132 127.0.0.1:7001", "check cluster"],
    ["CLUSTERDOWN The cluster is down", "the cluster cannot serve the key"],
    ["ERR This instance has cluster support disabled", "set url instead of cluster"],
    ["ERR unknown command 'SENTINEL', with args beginning with: ", "set url instead of sentinel"],
    ["ERR unknown command `HELLO`, with args beginning with: `3`, ", "Redis 6 or later"],
    ["ERR DB index is out of range", "check database"],
    ['Unknown RESP type 60 "<"', "check host and port"],
    ["connect ECONNREFUSED 127.0.0.1:6379", "refused"],
    ["getaddrinfo ENOTFOUND redis.invalid", "could not be resolved"],
    ["self-signed certificate", "set tls.ca"],
    ["Hostname/IP does not match certificate's altnames: Host: a.", "set tls.server_name"],
  ] as const
) {
  Deno.test(`an error with advice: ${report}`, () => {
    const text = errorText(new Error(report));
    assert(text.includes(advice) && text.endsWith(`(${report})`), text);
  });
}

Deno.test("any other report is unchanged", () => assertEquals(errorText(new Error("odd")), "odd"));
