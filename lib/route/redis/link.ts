/** One connection to a Redis server, which is replaced after its first failure. */

import type { HostPort } from "../../config/config.ts";
import { Deadlines } from "../../util/deadlines.ts";
import { durationText, hostPortText } from "../../util/text.ts";
import { errorText } from "./error_text.ts";

/** Interval of `Link.check`, in milliseconds. */
const HEARTBEAT_MS = 1000;

/** User and password. */
export interface Login {
  readonly username: string | undefined;
  readonly password: string;
}

/** How to connect to a server. */
export interface LinkOptions {
  readonly login: Login | undefined;
  /** Options of node:tls; undefined for plain TCP. */
  readonly tls: Readonly<Record<string, unknown>> | undefined;
  readonly database: number;
  /** For connecting, and for each reply, in milliseconds. */
  readonly timeout: number;
  /** Called when a key that was read over this connection has changed. Without it, tracking is not enabled. */
  readonly onInvalidated?: () => void;
}

/** The part of the package's client that is used here. */
interface Client {
  on(event: string, listener: (argument: unknown) => void): unknown;
  connect(): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  destroy(): void;
}

/** A server does not answer, or answers with an error. The message names the server. */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

/** An authenticated connection to a Redis server. It is unusable after its first failure. */
export class Link implements Disposable {
  readonly at: HostPort;
  /** Resolves to the reason once the connection is no longer usable. */
  readonly lost: Promise<Error>;
  readonly #client: Client;
  readonly #deadlines: Deadlines;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  readonly #lose: (reason: Error) => void;
  #failure: RedisError | undefined;

  private constructor(client: Client, at: HostPort, timeout: number) {
    this.#client = client;
    this.at = at;
    this.#deadlines = new Deadlines(timeout);
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.lost = promise;
    this.#lose = resolve;
    client.on("error", (error) => this.#fail(error));
  }

  /** Connects. @throws {RedisError} */
  static async open(at: HostPort, options: LinkOptions): Promise<Link> {
    const client = await createClient(at, options);
    const link = new Link(client, at, options.timeout);
    if (options.onInvalidated) client.on("invalidate", options.onInvalidated);
    try {
      await link.#answer(client.connect(), options.tls ? ": does it speak TLS?" : "");
      return link;
    } catch (error) {
      link[Symbol.dispose]();
      throw error;
    }
  }

  /** The reply to a command. @throws {RedisError}, and then the connection is closed */
  command(...args: readonly string[]): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    return this.#answer(this.#client.sendCommand(args));
  }

  /**
   * Calls `probe` every second, and closes the connection if it fails: a server that is silent, or that no longer owns
   * the key, reports no changes.
   */
  keepChecking(probe: () => Promise<unknown>): void {
    // #fail keeps the first failure as the reason for the loss
    this.#heartbeat ??= setInterval(() => probe().catch((error) => this.#fail(error)), HEARTBEAT_MS);
  }

  [Symbol.dispose](): void {
    this.#fail(new Error("the connection was closed"));
  }

  async #answer(reply: Promise<unknown>, hint = ""): Promise<unknown> {
    try {
      return await this.#deadlines.guard(reply, () => new Error(`${this.#lateText()}${hint}`));
    } catch (error) {
      this.#fail(error);
      throw this.#failure ?? error;
    }
  }

  #lateText(): string {
    return `no answer within ${durationText(this.#deadlines.duration)}`;
  }

  #fail(reason: unknown): void {
    if (this.#failure) return;
    this.#failure = new RedisError(`${hostPortText(this.at)}: ${errorText(reason)}`, { cause: reason });
    clearInterval(this.#heartbeat);
    // rejects pending commands
    this.#client.destroy();
    this.#deadlines.close();
    this.#lose(this.#failure);
  }
}

/** The package is loaded on first use: without `redis` the balancer starts sooner and needs less memory. */
async function createClient(
  { host, port }: HostPort,
  { login, tls, database, timeout, onInvalidated }: LinkOptions,
): Promise<Client> {
  const redis = await import("@redis/client");
  return redis.createClient({
    RESP: 3,
    database,
    ...login?.username === undefined ? {} : { username: login.username },
    ...login && { password: login.password },
    emitInvalidate: onInvalidated !== undefined,
    // would read the environment, and is for one vendor's service only
    maintNotifications: "disabled",
    disableClientInfo: true,
    // a lost `Link` is replaced as a whole: the tracking of changes is lost with the connection
    disableOfflineQueue: true,
    // otherwise each command would set a timer
    commandOptions: { timeout: undefined },
    socket: {
      host,
      port,
      connectTimeout: timeout,
      reconnectStrategy: false,
      ...tls && { ...tls, tls: true as const },
    },
    // deno-lint-ignore no-explicit-any -- the package's types know only its own defaults
  } as any) as unknown as Client;
}
