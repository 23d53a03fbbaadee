/** `routes`: which ID goes to which server. */

import * as v from "valibot";
import { choice, scalarText } from "./fields.ts";
import { holdSchema } from "./pools.ts";
import { upstreamEntries } from "./upstream.ts";

const { host, port, tls } = upstreamEntries;

/** Where connections go: `rules.ts` checks that it is either a pool or a host and port. */
const targetEntries = {
  host: v.exactOptional(host),
  port: v.exactOptional(port),
  tls,
  pool: v.exactOptional(scalarText(
    "the name of a pool",
    "Name of the pool that the connections go to, in place of host and port.",
  )),
  hold: v.exactOptional(holdSchema),
};

/** One rule of the table. `rules.ts` checks that it has either `id` or `match`. */
export const routeSchema = v.strictObject({
  id: v.exactOptional(scalarText("an ID", "The client ID that this route matches.")),
  match: v.exactOptional(
    scalarText("a glob, such as eu-*", "Glob over client IDs: * is any run of characters, ? is one."),
  ),
  ...targetEntries,
  on_removal: v.exactOptional(choice(
    ["keep", "drain", "close"],
    "What happens to connections of this route when a reload removes it; default keep.",
  )),
}, "a mapping such as { id: 1, host: n1.example.com, port: 7777 }");

/** Every rule. */
export const routesSchema = v.pipe(
  v.array(routeSchema, "a list of routes"),
  v.description("Exact IDs are tried first, then globs in file order, then default."),
);

/** `default`: where IDs go that no route matches. */
export const defaultSchema = v.pipe(
  v.strictObject(targetEntries, "a mapping such as { host: n1.example.com, port: 7777 }"),
  v.description("Server or pool for IDs that no route matches; without it they get UNKNOWN_ID."),
);
