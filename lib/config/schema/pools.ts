/** `pools`: several servers for the same IDs, and `hold`: clients that wait for a server. */

import * as v from "valibot";
import { parseHttpUrl, URL_EXPECTED } from "../values.ts";
import {
  boolean,
  choice,
  connectionCount,
  duration,
  integer,
  nonEmpty,
  parsed,
  positiveDuration,
  scalarText,
} from "./fields.ts";
import { HTTP_URL_PATTERN } from "./patterns.ts";
import { upstreamEntries } from "./upstream.ts";

const TEXT_EXPECTED = "text of at least one character";
const MAX_WEIGHT = 1000;
const MAX_TIMES = 1000;

const STRATEGIES = ["hash", "round_robin", "least_connections", "random"] as const;

function times(fallback: number, description: string, least = 1) {
  const expected = `a number, ${least} to ${MAX_TIMES}`;
  return v.optional(integer(expected, description, { least, most: MAX_TIMES }), fallback);
}

function text(description: string) {
  return v.exactOptional(
    v.pipe(v.string(TEXT_EXPECTED), v.minLength(1, TEXT_EXPECTED), v.description(description)),
  );
}

const server = v.strictObject({
  ...upstreamEntries,
  weight: v.optional(
    integer(
      `a weight, 0 to ${MAX_WEIGHT}; 0 drains the server`,
      "Share of the connections, relative to the other weights; 0 drains the server.",
      { least: 0, most: MAX_WEIGHT },
    ),
    1,
  ),
  backup: boolean(false, "Whether it gets connections only while no other server can be reached."),
}, "a mapping such as { host: a.example.com, port: 9000 }");

const healthCheck = v.pipe(
  v.strictObject({
    interval: positiveDuration("2s", "Time from one check to the next."),
    timeout: positiveDuration("1s", "Longest time for a check."),
    fall: times(3, "Failed checks in a row that take a server down."),
    rise: times(2, "Passed checks in a row that bring it back."),
    send: text("Text that is sent to the server once connected."),
    id: v.exactOptional(scalarText("an ID", "ID of an ID frame that is sent instead of text.")),
    expect: text("Text that must be in the first 4096 bytes of the server's answer."),
  }, "a mapping such as { interval: 2s, timeout: 1s, fall: 3, rise: 2 }"),
  v.description("Health checks of the servers; default none."),
);

const pool = v.strictObject({
  strategy: v.optional(choice(STRATEGIES, "How the server for a connection is picked."), "hash"),
  servers: nonEmpty(server, {
    expected: "a list of servers",
    least: "at least one server",
    description: "The servers, each with a host and port of its own.",
  }),
  health_check: v.exactOptional(healthCheck),
  max_fails: times(3, "Failed dials within fail_duration that eject a server; 0 for never.", 0),
  fail_duration: positiveDuration(
    "10s",
    "Time within which failed dials count, and length of the first ejection.",
  ),
  slow_start: duration("0s", "Time until a server that is up again has its full share of new connections."),
  max_connections: v.optional(connectionCount("Most connections at once to each server"), 0),
}, "a mapping such as { servers: [{ host: a.example.com, port: 9000 }] }");

/** Every pool, by name. */
export const poolsSchema = v.pipe(
  v.record(v.string(), pool, "a mapping of names to pools"),
  v.description("Pools of servers, by name."),
);

/** `hold` of a route. */
export const holdSchema = v.pipe(
  v.strictObject({
    for: positiveDuration("30s", "Longest time that a client is held."),
    clients: v.optional(
      integer("a number of clients, 1 to 100000", "Most clients held at once.", { most: 100_000 }),
      100,
    ),
    wake: v.exactOptional(
      parsed(
        parseHttpUrl,
        URL_EXPECTED,
        "URL that gets a POST when the first client is held, to start the server.",
        { pattern: HTTP_URL_PATTERN },
      ),
    ),
  }, "a mapping such as { for: 30s, clients: 100 }"),
  v.description("How clients are held while their server cannot be reached; without it they are refused."),
);
