/** A server that connections are routed to. */

import type { HostPort, UpstreamTls } from "../config/config.ts";
import { hostPortText } from "../util/text.ts";
import type { HealthState, ServerInfo } from "../observe/observer.ts";
import type { HealthSettings, HealthView, ServerHealth } from "./health.ts";
import { RemoteHealth } from "./remote_health.ts";

/** Called when the health of a server changes, with the reason. */
export type OnChange = (record: ServerRecord, state: HealthState, why: string) => void;

/** A count of connections, shared between threads. */
export interface ServerCount {
  readonly value: number;
  /** Adds one and returns true, or returns false if that would exceed `limit`; 0 is no limit. */
  tryAdd(limit: number): boolean;
  /** Subtracts one that this thread has added. */
  release(): void;
}

/** Options of a record. */
export interface RecordOptions {
  /** The pool of the server; undefined for one that routes name by host and port. */
  readonly pool?: string;
  /** Without it the server counts as up. */
  readonly health?: ServerHealth;
  /** The server's connections in all threads. @default only those of this thread */
  readonly count?: ServerCount | undefined;
  readonly onChange?: OnChange;
  /** Called after each dial of a client, with the error if it failed. */
  readonly onDialed?: (record: ServerRecord, error?: Error) => void;
  /** Called when its last connection ends. */
  readonly onIdle?: (record: ServerRecord) => void;
}

/** The connections and the health of a server. It survives reloads, by its key. */
export class ServerRecord implements ServerInfo {
  /** `host:port` */
  readonly key: string;
  /** The pool of the server; undefined for one that routes name by host and port. */
  readonly pool: string | undefined;
  readonly #health: ServerHealth | undefined;
  readonly #count: ServerCount | undefined;
  readonly #onChange: OnChange | undefined;
  readonly #onDialed: RecordOptions["onDialed"];
  readonly #onIdle: ((record: ServerRecord) => void) | undefined;
  /** Connections of this thread. */
  #active = 0;
  #reported: HealthState = "up";

  constructor(key: string, { pool, health, count, onChange, onDialed, onIdle }: RecordOptions = {}) {
    this.key = key;
    this.pool = pool;
    this.#health = health;
    this.#count = count;
    this.#onChange = onChange;
    this.#onDialed = onDialed;
    this.#onIdle = onIdle;
  }

  /** Its connections, including those being opened. */
  get active(): number {
    return this.#count?.value ?? this.#active;
  }

  get state(): HealthState {
    return this.#health?.state ?? "up";
  }

  /** Its health for other threads; undefined for a server that always counts as up. */
  get health(): HealthView | undefined {
    return this.#health?.view;
  }

  /** Applies the health that another thread has decided on. */
  use(health: HealthView): void {
    if (this.#health instanceof RemoteHealth) this.#health.set(health);
  }

  /** See `Health.share`. */
  get share(): number {
    return this.#health?.share ?? 1;
  }

  /** Remaining duration of its ejection, in milliseconds. */
  get ejectedFor(): number {
    return this.#health?.ejectedFor ?? 0;
  }

  /** Changes the limits of its health. */
  configure(settings: HealthSettings): void {
    this.#health?.configure(settings);
  }

  /** Reports the result of a check: `error` if it failed. */
  checked(error?: Error): void {
    this.#health?.checked(error === undefined);
    this.report(error ? error.message : "its checks pass");
  }

  /** Checks have been turned off. */
  unchecked(): void {
    this.#health?.unchecked();
    this.report("it is no longer checked");
  }

  /** Reports the result of a client's dial: `error` if it failed. */
  dialed(error?: Error): void {
    this.#health?.dialed(error === undefined);
    this.#onDialed?.(this, error);
    if (error) this.report(error.message);
  }

  /** Calls `onChange` if its health has changed since the last call. */
  report(why: string): void {
    const { state } = this;
    if (state === this.#reported) return;
    this.#reported = state;
    this.#onChange?.(this, state, why);
  }

  /** Counts a connection until the result is disposed of. Undefined if `most` are open; 0 is no limit. */
  acquire(most: number): Disposable | undefined {
    const isFree = this.#count ? this.#count.tryAdd(most) : most === 0 || this.#active < most;
    if (!isFree) return undefined;
    this.#active += 1;
    return new Lease(this);
  }

  /** Called once by each lease. */
  release(): void {
    this.#active -= 1;
    this.#count?.release();
    if (this.#active === 0) this.#onIdle?.(this);
  }
}

/** A counted connection to a server. */
class Lease implements Disposable {
  #record: ServerRecord | undefined;

  constructor(record: ServerRecord) {
    this.#record = record;
  }

  [Symbol.dispose](): void {
    this.#record?.release();
    this.#record = undefined;
  }
}

/** The settings of a server in one configuration. */
export interface ServerOptions extends HostPort {
  readonly tls?: UpstreamTls | boolean;
  /** @default 1 */
  readonly weight?: number;
  /** @default false */
  readonly backup?: boolean;
  /** Maximum number of connections; 0 for no limit. @default 0 */
  readonly maxConnections?: number;
}

/** A server with the settings of one configuration. */
export class Server implements HostPort {
  readonly host: string;
  readonly port: number;
  readonly tls: UpstreamTls | boolean;
  /** Whether it gets connections only if no other server can. */
  readonly backup: boolean;
  readonly #record: ServerRecord;
  readonly #weight: number;
  readonly #maxConnections: number;

  constructor(
    { host, port, tls = false, weight = 1, backup = false, maxConnections = 0 }: ServerOptions,
    record: ServerRecord = new ServerRecord(hostPortText({ host, port })),
  ) {
    this.host = host;
    this.port = port;
    this.tls = tls;
    this.backup = backup;
    this.#record = record;
    this.#weight = weight;
    this.#maxConnections = maxConnections;
  }

  /** `host:port` */
  get key(): string {
    return this.#record.key;
  }

  /** Number of its connections. */
  get active(): number {
    return this.#record.active;
  }

  /** Its health: whether it may get new connections, and why not. */
  get state(): HealthState {
    return this.#record.state;
  }

  /** Whether it gets no new connections because of `weight: 0`. */
  get draining(): boolean {
    return this.#weight === 0;
  }

  /** Its weight, reduced during a slow start. */
  get weight(): number {
    return this.#weight * this.#record.share;
  }

  /** The part of it that survives reloads. */
  get record(): ServerRecord {
    return this.#record;
  }

  /** Counts a connection until the result is disposed of. Undefined if it has its maximum. */
  acquire(): Disposable | undefined {
    return this.#record.acquire(this.#maxConnections);
  }
}
