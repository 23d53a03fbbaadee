/** A page of the list of connections, described by data so that other threads can be asked for it. */

import type { ConnectionInfo } from "../observe/observer.ts";
import { AddressList } from "../util/cidr.ts";
import { addressText, hostPortText } from "../util/text.ts";

/** The order of a page: oldest first, most bytes first, or by ID. */
export type PageOrder = "age" | "bytes" | "id";

/** Every order, the default first. */
export const PAGE_ORDERS: readonly PageOrder[] = ["age", "bytes", "id"];

/** The connections in a page: those that match every field. */
export interface ConnectionFilter {
  /** Exactly this ID. */
  readonly id?: string | undefined;
  /** Connected to, or dialing, this `host:port`. */
  readonly upstream?: string | undefined;
  /** The client's address is in this network (CIDR). */
  readonly network?: string | undefined;
  /** The ID, the client's address or the upstream contains this text. */
  readonly search?: string | undefined;
}

/** A part of the list of connections. */
export interface Page extends ConnectionFilter {
  /** Only connections with a higher number. @default 0 */
  readonly after?: number;
  /** Maximum number of connections in the page. */
  readonly limit: number;
  /** @default age */
  readonly order?: PageOrder;
}

/** Whether a connection belongs to a page. */
export function matcher({ id, upstream, network, search }: ConnectionFilter) {
  const list = network === undefined ? undefined : new AddressList([network]);
  return (connection: ConnectionInfo): boolean => {
    const server = connection.upstream && hostPortText(connection.upstream);
    if (id !== undefined && connection.id !== id) return false;
    if (upstream !== undefined && server !== upstream) return false;
    if (list && list.find(connection.source.hostname) === undefined) return false;
    return search === undefined ||
      [connection.id, server, addressText(connection.source)].some((field) => field?.includes(search));
  };
}

type Compare = (one: ConnectionInfo, other: ConnectionInfo) => number;

/** How connections are sorted in each order. */
export const ORDERS: Readonly<Record<PageOrder, Compare>> = {
  age: (one, other) => one.conn - other.conn,
  bytes: (one, other) => bytesOf(other) - bytesOf(one),
  id: (one, other) => compareTexts(one.id ?? "", other.id ?? "") || one.conn - other.conn,
};

function bytesOf({ up, down }: ConnectionInfo): number {
  return up.written + down.written;
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
