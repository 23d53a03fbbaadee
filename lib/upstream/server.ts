/** A server that connections go to. */

import type { HostPort, UpstreamTls } from "../config/config.ts";
import { hostPortText } from "../util/text.ts";
import type { HealthState, ServerInfo } from "../observe/observer.ts";
import type { HealthSettings, HealthView, ServerHealth } from "./health.ts";
import { RemoteHealth } from "./remote_health.ts";

/** Told that the health of a server has changed, and why. */
export type OnChange = (record: ServerRecord, state: HealthState, why: string) => void;

/** A count of connections that threads share. */
export interface ServerCount {
  readonly value: number;
  /** Adds one and gives true, or gives false where that would exceed `limit`; 0 is no limit. */
  tryAdd(limit: number): boolean;
  /** Takes one away that this thread has added. */
  release(): void;
}

/** Options of a record. */
export interface RecordOptions {
  /** The pool that the server is in; without it routes name it by host and port. */
  readonly pool?: string;
  /** Without it the server counts as up. */
  readonly health?: ServerHealth;
  /** The server's connections in all threads. @default those of this thread are all */
  readonly count?: ServerCount | undefined;
  readonly onChange?: OnChange;
  /** Called after each dial of a client, with its error if it failed. */
  readonly onDialed?: (record: ServerRecord, error?: Error) => void;
  /** Called when its last connection has ended. */
  readonly onIdle?: (record: ServerRecord) => void;
}

/** The connections and the health of a server. A record survives reloads by its key. */
export class ServerRecord implements ServerInfo {
  /** `host:port` */
  readonly key: string;
  /** The pool that the server is in; undefined for one that routes name by host and port. */
  readonly pool: string | undefined;
  readonly #health: ServerHealth | undefined;
  readonly #count: ServerCount | undefined;
  readonly #onChange: OnChange | undefined;
  readonly #onDialed: RecordOptions["onDialed"];
  readonly #onIdle: ((record: ServerRecord) => void) | undefined;
  /** Those of this thread. */
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

  /** Connections to it now, those that are being opened included. */
  get active(): number {
    return this.#count?.value ?? this.#active;
  }

  get state(): HealthState {
    return this.#health?.state ?? "up";
  }

  /** For other threads; undefined for a server that always counts as up. */
  get health(): HealthView | undefined {
    return this.#health?.view;
  }

  /** Another thread has decided on its health. */
  use(health: HealthView): void {
    if (this.#health instanceof RemoteHealth) this.#health.set(health);
  }

  /** See `Health.share`. */
  get share(): number {
    return this.#health?.share ?? 1;
  }

  /** How long its ejection still lasts, in milliseconds. */
  get ejectedFor(): number {
    return this.#health?.ejectedFor ?? 0;
  }

  /** Takes other limits of its health from now on. */
  configure(settings: HealthSettings): void {
    this.#health?.configure(settings);
  }

  /** A check has passed, or failed by `error`. */
  checked(error?: Error): void {
    this.#health?.checked(error === undefined);
    this.report(error ? error.message : "its checks pass");
  }

  /** It is not checked any more. */
  unchecked(): void {
    this.#health?.unchecked();
    this.report("it is not checked any more");
  }

  /** A client's dial has succeeded, or failed by `error`. */
  dialed(error?: Error): void {
    this.#health?.dialed(error === undefined);
    this.#onDialed?.(this, error);
    if (error) this.report(error.message);
  }

  /** Tells of a change of its health since the last report. */
  report(why: string): void {
    const { state } = this;
    if (state === this.#reported) return;
    this.#reported = state;
    this.#onChange?.(this, state, why);
  }

  /** Counts a connection until the result is disposed of. Undefined where `most` are open; 0 is no limit. */
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

/** A connection's place at a server. */
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
  /** Most connections at once; 0 for no limit. @default 0 */
  readonly maxConnections?: number;
}

/** A server as one configuration has it. */
export class Server implements HostPort {
  readonly host: string;
  readonly port: number;
  readonly tls: UpstreamTls | boolean;
  /** Whether it gets connections only while no other server can. */
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

  /** The pool that the server is in. */
  get pool(): string | undefined {
    return this.#record.pool;
  }

  /** Connections to it now. */
  get active(): number {
    return this.#record.active;
  }

  /** Whether health lets it have new connections, and why not. */
  get state(): HealthState {
    return this.#record.state;
  }

  /** Whether it gets no new connections, by `weight: 0`. */
  get draining(): boolean {
    return this.#weight === 0;
  }

  /** Its weight, less during a slow start. */
  get weight(): number {
    return this.#weight * this.#record.share;
  }

  /** What of it survives a reload. */
  get record(): ServerRecord {
    return this.#record;
  }

  /** Counts a connection to it until the result is disposed of. Undefined where it has as many as it may. */
  acquire(): Disposable | undefined {
    return this.#record.acquire(this.#maxConnections);
  }
}
