/** Every open connection. */

import { type Closing, type ConnectionInfo, connectionInfo, type Observer } from "../observe/observer.ts";
import type { Duplex } from "../transport/duplex.ts";
import { subnetOf } from "../util/cidr.ts";
import { LinkedList } from "../util/linked_list.ts";
import { Connection, type SocketAddresses } from "./connection.ts";
import { matcher, ORDERS, type Page } from "./page.ts";

/** Bytes relayed from clients to upstreams, and from upstreams to clients. */
export interface RelayedBytes {
  readonly up: number;
  readonly down: number;
}

/** Selects connections by number, by ID, or by both. */
export interface Selection {
  readonly conn?: number | undefined;
  readonly id?: string | undefined;
}

/** Which connections to count: those from a subnet (see `subnetOf`), and those of an ID. */
export interface Counted {
  readonly subnet: string;
  readonly id: string;
}

/** Numbers of open connections, without those that are being refused or terminated. */
export interface ConnectionCounts {
  readonly active: number;
  /** Of those, connections without an ID: clients that have not sent one. */
  readonly silent: number;
  readonly ofSubnet: number;
  readonly ofId: number;
}

interface Waiting {
  readonly last: number;
  readonly resolve: () => void;
}

/**
 * The open connections, oldest first. Look-ups by number and ID walk the list: they are rare, and maintaining an index
 * would cost every connection more (see `LinkedList`).
 */
export class ConnectionRegistry implements Iterable<Connection> {
  readonly #open = new LinkedList<Connection>();
  readonly #observer: Required<Observer>;
  readonly #nextNumber: () => number;
  #total = 0;
  #last = 0;
  #closed = { up: 0, down: 0 };
  #waiting: Waiting[] = [];

  /**
   * @param observer Called at each connection's stages.
   * @param nextNumber Numbers connections in increasing order. @default from 1 on
   */
  constructor(observer: Required<Observer>, nextNumber: () => number = () => this.#last + 1) {
    this.#observer = observer;
    this.#nextNumber = nextNumber;
  }

  /** Number of open connections. */
  get active(): number {
    return this.#open.size;
  }

  /** Connections accepted since the start. */
  get total(): number {
    return this.#total;
  }

  /** The number of the newest connection; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** @param listener Its address, for observers. */
  open(client: Duplex, addresses: SocketAddresses, listener: string): Connection {
    this.#last = this.#nextNumber();
    this.#total += 1;
    const connection = new Connection(this.#last, client, addresses, listener, this.#observer);
    this.#open.join(connection);
    this.#observer.accepted(connection);
    return connection;
  }

  /** Removes an ended connection; `why` applies unless it was terminated for another reason. */
  close(connection: Connection, why: Closing): void {
    this.#open.leave(connection);
    this.#closed.up += connection.up.written;
    this.#closed.down += connection.down.written;
    this.#observer.closed(connection, connection.closing ?? why);
    if (this.#waiting.length > 0) this.#release();
  }

  get(conn: number): Connection | undefined {
    for (const connection of this.#open) if (connection.conn === conn) return connection;
    return undefined;
  }

  /** The connections of an ID, oldest first. */
  *ofId(id: string): Iterable<Connection> {
    for (const connection of this.#open) if (connection.id === id) yield connection;
  }

  /** The connections with a number, an ID, or both; none if neither is given. */
  select({ conn, id }: Selection): readonly Connection[] {
    if (conn === undefined) return id === undefined ? [] : [...this.ofId(id)];
    const connection = this.get(conn);
    return connection && (id === undefined || connection.id === id) ? [connection] : [];
  }

  /** Copies of the records of a page of connections. */
  page({ after = 0, limit, order = "age", ...filter }: Page): readonly ConnectionInfo[] {
    const matches = matcher(filter);
    const found: Connection[] = [];
    for (const connection of this.#open) {
      // the list is ordered by age
      if (order === "age" && found.length >= limit) break;
      if (connection.conn > after && matches(connection)) found.push(connection);
    }
    const page = order === "age" ? found : found.sort(ORDERS[order]).slice(0, limit);
    return page.map(connectionInfo);
  }

  count({ subnet, id }: Counted): ConnectionCounts {
    let [active, silent, ofSubnet, ofId] = [0, 0, 0, 0];
    for (const connection of this.#open) {
      // these have released their places
      if (connection.closing || connection.rejection) continue;
      active += 1;
      if (connection.id === undefined) silent += 1;
      if (connection.id === id) ofId += 1;
      if (subnetOf(connection.source.hostname) === subnet) ofSubnet += 1;
    }
    return { active, silent, ofSubnet, ofId };
  }

  /** Bytes relayed since the start, including open connections. */
  bytes(): RelayedBytes {
    let { up, down } = this.#closed;
    for (const connection of this.#open) {
      up += connection.up.written;
      down += connection.down.written;
    }
    return { up, down };
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#open[Symbol.iterator]();
  }

  /** Resolves once no connection with a number up to `last` is open. */
  ended(last = Infinity): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ last, resolve });
      this.#release();
    });
  }

  /** Closes every open connection and waits until all have ended. */
  async terminateAll(why: Closing): Promise<void> {
    for (const connection of this.#open) connection.terminate(why);
    await this.ended();
  }

  #release(): void {
    const oldest = this.#open.first?.conn ?? Infinity;
    const due = ({ last }: Waiting) => this.#open.size === 0 || oldest > last;
    for (const { resolve } of this.#waiting.filter(due)) resolve();
    this.#waiting = this.#waiting.filter((waiting) => !due(waiting));
  }
}
