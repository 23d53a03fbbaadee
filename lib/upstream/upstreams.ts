/** Every server that connections are routed to: those of pools, and those that routes name by host and port. */

import { getLogger } from "@logtape/logtape";
import type { HealthCheck, PoolConfig, Upstream } from "../config/config.ts";
import { hostPortText } from "../util/text.ts";
import { Health, type HealthSettings } from "./health.ts";
import { HealthChecker } from "./health_checker.ts";
import { type DialReport, RemoteHealth, type SentHealth } from "./remote_health.ts";
import { type Pool, ServerPool, SinglePool } from "./pool.ts";
import { type OnChange, type RecordOptions, Server, type ServerCount, ServerRecord } from "./server.ts";
import { type Strategy, strategyOf } from "./strategies.ts";

const log = getLogger("switchyard");

/** Checks a server once, within the check's timeout; rejects if it fails or `signal` is aborted. */
export type RunCheck = (server: Server, check: HealthCheck, signal: AbortSignal) => Promise<void>;

/** Maximum number of remembered servers of routes without connections. */
const MOST_IDLE = 1000;

/** Options of `Upstreams`. */
export interface UpstreamsOptions {
  /** Called at each change of a server's health. */
  readonly onChange?: OnChange;
  /** Reports dials if another thread decides on the health of servers. @default this thread decides */
  readonly onDialed?: ((report: DialReport) => void) | undefined;
  /** The count, over all threads, of a pool's server. @default a count of each thread */
  readonly countOf?: ((key: string) => ServerCount) | undefined;
}

/** The pools of one configuration, by name. */
export type Pools = ReadonlyMap<string, ServerPool>;

interface Checked {
  /** Identifies the checked servers and the settings of their checks. */
  readonly signature: string;
  readonly checker: HealthChecker;
}

/** The servers with their connections, health and checks. It survives reloads. */
export class Upstreams implements Disposable {
  readonly #options: UpstreamsOptions;
  /** Servers of pools, by pool and key. */
  readonly #pooled = new Map<string, ServerRecord>();
  /** Dialed servers of routes, by key. Beyond some number idle ones are removed. */
  readonly #single = new Map<string, SinglePool>();
  readonly #singleOptions = { onIdle: (record: ServerRecord) => this.#forgetIdle(record) };
  /** By pool and strategy. */
  readonly #strategies = new Map<string, Strategy>();
  readonly #checked = new Map<ServerRecord, Checked>();
  #runCheck: RunCheck = () => Promise.resolve();
  /** Timers for the ends of ejections. */
  readonly #returns = new Map<ServerRecord, ReturnType<typeof setTimeout>>();

  constructor(options: UpstreamsOptions = {}) {
    this.#options = options;
  }

  /** Builds the pools of `configs`. Servers keep their connections and health. */
  build(configs: Readonly<Record<string, PoolConfig>> = {}): Pools {
    return new Map(Object.entries(configs).map(([name, config]) => [name, this.#pool(name, config)]));
  }

  /** Replaces the pools in use: their limits, and their checks by `run`. */
  use(pools: Pools, run: RunCheck): void {
    this.#runCheck = run;
    const servers = new Set<ServerRecord>();
    for (const { config, servers: all } of pools.values()) {
      for (const server of all) {
        servers.add(server.record);
        server.record.configure(healthSettings(config));
        this.#check(server, config.health_check);
      }
    }
    for (const [key, record] of this.#pooled) {
      if (servers.has(record)) continue;
      this.#uncheck(record);
      clearTimeout(this.#returns.get(record));
      // a server with connections may be configured again, and then they count
      if (record.active === 0) this.#pooled.delete(key);
    }
    const strategies = new Set([...pools.values()].map(strategyKey));
    for (const key of this.#strategies.keys()) if (!strategies.has(key)) this.#strategies.delete(key);
  }

  /** The pool of one server for a route to `upstream`. */
  single(upstream: Upstream): Pool {
    const key = hostPortText(upstream);
    const known = this.#single.get(key);
    if (known && known.server.tls === (upstream.tls ?? false)) return known;
    const record = known?.server.record ?? new ServerRecord(key, this.#singleOptions);
    const pool = new SinglePool(new Server(upstream, record));
    this.#single.set(key, pool);
    return pool;
  }

  /** Every server that is in a pool, has connections or had some recently. */
  *records(): Generator<ServerRecord> {
    yield* this.#pooled.values();
    for (const { server } of this.#single.values()) yield server.record;
  }

  /** The health of every server of a pool, for other threads. */
  *healths(): Generator<SentHealth> {
    for (const { key, pool, health } of this.#pooled.values()) {
      if (pool !== undefined && health) yield { pool, key, ...health };
    }
  }

  /** Applies the health of servers that the main thread has decided on. */
  useHealths(healths: Iterable<SentHealth>): void {
    for (const { pool, key, ...health } of healths) this.#pooled.get(`${pool} ${key}`)?.use(health);
  }

  /** Applies the result of another thread's dial. Returns the server's health if all threads need it at once. */
  dialed({ pool, key, problem }: DialReport): SentHealth | undefined {
    const record = this.#pooled.get(`${pool} ${key}`);
    const wasOnProbation = record?.health?.onProbation;
    record?.dialed(problem === undefined ? undefined : new Error(problem));
    const health = record?.health;
    return health && health.onProbation !== wasOnProbation ? { pool, key, ...health } : undefined;
  }

  /** Stops every check. */
  [Symbol.dispose](): void {
    for (const record of this.#checked.keys()) this.#uncheck(record);
    for (const timer of this.#returns.values()) clearTimeout(timer);
    this.#returns.clear();
  }

  #forgetIdle({ key }: ServerRecord): void {
    if (this.#single.size > MOST_IDLE) this.#single.delete(key);
  }

  #pool(name: string, config: PoolConfig): ServerPool {
    const servers = config.servers.map((server) => {
      const { max_connections: maxConnections } = config;
      return new Server({ ...server, maxConnections }, this.#record(name, hostPortText(server), config));
    });
    const key = strategyKey({ name, config });
    const strategy = this.#strategies.get(key) ?? strategyOf(config.strategy);
    this.#strategies.set(key, strategy);
    const onPanic = this.#options.onDialed ? undefined : logPanic;
    return new ServerPool({ name, config, servers, strategy, onPanic });
  }

  #record(pool: string, key: string, config: PoolConfig): ServerRecord {
    const known = this.#pooled.get(`${pool} ${key}`);
    if (known) return known;
    const record = new ServerRecord(key, {
      pool,
      count: this.#options.countOf?.(`${pool} ${key}`),
      ...this.#healthOf(pool, key, config),
    });
    this.#pooled.set(`${pool} ${key}`, record);
    return record;
  }

  #healthOf(pool: string, key: string, config: PoolConfig): RecordOptions {
    const { onDialed } = this.#options;
    const settings = healthSettings(config);
    if (!onDialed) {
      return { health: new Health(settings), onChange: (...change) => this.#changed(...change) };
    }
    const health = new RemoteHealth(settings);
    return {
      health,
      onDialed: (_record, error) => {
        // other successes change nothing
        if (error || health.view.onProbation) onDialed({ pool, key, problem: error?.message });
      },
    };
  }

  #check(server: Server, settings: HealthCheck | undefined): void {
    if (this.#options.onDialed) return;
    const { record, host, port, tls } = server;
    const signature = JSON.stringify([settings, host, port, tls]);
    if (settings && this.#checked.get(record)?.signature === signature) return;
    this.#uncheck(record);
    if (!settings) return record.unchecked();
    const checker = new HealthChecker((signal) => this.#runCheck(server, settings, signal), {
      interval: settings.interval,
      report: (error) => record.checked(error),
    });
    this.#checked.set(record, { signature, checker });
  }

  #uncheck(record: ServerRecord): void {
    this.#checked.get(record)?.checker[Symbol.dispose]();
    this.#checked.delete(record);
  }

  #changed(record: ServerRecord, state: ServerRecord["state"], why: string): void {
    clearTimeout(this.#returns.get(record));
    this.#returns.delete(record);
    if (state === "ejected") this.#awaitReturn(record);
    const isUp = state === "up";
    log[isUp ? "info" : "warning"](`server ${record.key} of pool ${record.pool} is ${state}: ${why}`);
    this.#options.onChange?.(record, state, why);
  }

  #awaitReturn(record: ServerRecord): void {
    const timer = setTimeout(() => {
      // timers may fire slightly early
      if (record.ejectedFor > 0) this.#awaitReturn(record);
      else record.report("its ejection is over");
    }, Math.ceil(record.ejectedFor));
    this.#returns.set(record, timer);
  }
}

function logPanic({ name, panicking }: ServerPool): void {
  if (panicking) log.warning(`pool ${name} has no healthy server: connections try all of them`);
  else log.info(`pool ${name} has a healthy server again`);
}

function strategyKey({ name, config }: Pick<ServerPool, "name" | "config">): string {
  return `${config.strategy} ${name}`;
}

/** Without checks `fall` and `rise` have no effect. */
function healthSettings({ health_check, max_fails, fail_duration, slow_start }: PoolConfig): HealthSettings {
  const { fall = 1, rise = 1 } = health_check ?? {};
  return { fall, rise, maxFails: max_fails, failDuration: fail_duration, slowStart: slow_start };
}
