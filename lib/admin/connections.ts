/** Lists and closes connections. */

import { type Page, PAGE_ORDERS } from "../connection/page.ts";
import { parseCidr } from "../config/values.ts";
import type { Closing } from "../observe/observer.ts";
import { quote } from "../util/text.ts";
import { HttpError } from "./http.ts";
import type { Parameters, Values } from "./parameters.ts";
import type { AdminSource } from "./source.ts";
import { connectionView } from "./views.ts";

/** Connections in a page without `limit`. */
const PAGE = 100;

/** Maximum number of rows in a page, so that a page takes only milliseconds. */
const MOST_ROWS = 1000;

/** Parameters of a list in pages. */
export const PAGE_PARAMETERS: Parameters = {
  after: { type: "integer", description: "Only rows after this number: `next` of the previous page." },
  limit: {
    type: "integer",
    description: `Maximum number of rows in the page, by default ${PAGE}.`,
    least: 1,
    most: MOST_ROWS,
  },
};

/** Parameters of the list of connections. */
export const LIST_PARAMETERS: Parameters = {
  ...PAGE_PARAMETERS,
  id: { type: "string", description: "Only connections of exactly this ID." },
  upstream: { type: "string", description: "Only connections to this upstream, host:port." },
  address: { type: "string", description: "Only clients with this address, or in this network (CIDR)." },
  search: { type: "string", description: "Only those whose ID, client or upstream contains this text." },
  sort: {
    type: "string",
    choices: PAGE_ORDERS,
    description: "Oldest first (the default), most bytes first, or by ID. Only age has further pages.",
  },
};

/** A page of connections. */
export async function listConnections({ balancer }: AdminSource, values: Values) {
  const limit = values.number("limit") ?? PAGE;
  const order = PAGE_ORDERS.find((name) => name === values.text("sort")) ?? "age";
  const [id, upstream, search] = ["id", "upstream", "search"].map(values.text);
  const filter = { id, upstream, search, network: networkOf(values) };
  const page: Page = { after: values.number("after") ?? 0, limit: limit + 1, order, ...filter };
  const found = await balancer.engine.connections(page);
  const rows = found.slice(0, limit);
  const next = found.length > limit && order === "age" ? rows.at(-1)?.conn ?? null : null;
  const now = performance.now();
  return { connections: rows.map((connection) => connectionView(connection, now)), next };
}

/** Closes connections on behalf of an operator. Resolves to their number. */
export async function closeConnections(
  { balancer }: AdminSource,
  which: { conn?: number | undefined; id?: string | undefined },
) {
  const closed = await balancer.engine.terminate(which, KICKED);
  if (closed === 0) {
    const what = which.conn === undefined ? `ID ${quote(which.id)}` : `number ${which.conn}`;
    throw new HttpError(404, `no open connection with ${what}`);
  }
  return { closed };
}

const KICKED: Closing = { reason: "kicked", closedBy: "balancer" };

/** The parameter `address` as a network, if given. @throws {HttpError} 400 if it is not one */
function networkOf(values: Values): string | undefined {
  const address = values.text("address");
  if (address === undefined) return undefined;
  const cidr = parseCidr(address);
  if (cidr !== undefined) return cidr;
  throw new HttpError(
    400,
    `parameter address: ${quote(address)} is not an IP address or a network, such as 192.0.2.0/24`,
  );
}
