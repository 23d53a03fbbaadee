/** One connection to a Redis server. It is used until something goes wrong with it, and then replaced. */

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

/** How a server is connected to. */
export interface LinkOptions {
  readonly login: Login | undefined;
  /** Options of node:tls; undefined for plain TCP. */
  readonly tls: Readonly<Record<string, unknown>> | undefined;
  readonly database: number;
  /** For connecting, and for each reply, in milliseconds. */
  readonly timeout: number;
  /** Called when a key has changed that was read here; without it the server is not asked to tell. */
  readonly onInvalidated?: () => void;
}

/** What is used of the client of the package. */
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

/** See the top of the file. */
export class Link implements Disposable {
  readonly at: HostPort;
  /** Resolves to the reason once the connection cannot be used any more. */
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

  /** The reply to a command. @throws {RedisError}, and the connection is closed then */
  command(...args: readonly string[]): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    return this.#answer(this.#client.sendCommand(args));
  }

  /**
   * Calls `probe` every second. A failed one closes the connection: changes are no longer reported by a server that is
   * silent, or that is not in charge of the key any more.
   */
  keepChecking(probe: () => Promise<unknown>): void {
    // every failure of a command is kept as the reason for the loss
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
    // what is under way fails by this
    this.#client.destroy();
    this.#deadlines.close();
    this.#lose(this.#failure);
  }
}

/** The package is loaded by those who use it: others start sooner, and need less memory. */
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
    // it would read the environment, and is for a service of one vendor
    maintNotifications: "disabled",
    disableClientInfo: true,
    // `Link` is replaced as a whole: what it knows of changes is lost with the connection
    disableOfflineQueue: true,
    // a timer for each command otherwise
    commandOptions: { timeout: undefined },
    socket: {
      host,
      port,
      connectTimeout: timeout,
      reconnectStrategy: false,
      ...tls && { ...tls, tls: true as const },
    },
    // deno-lint-ignore no-explicit-any -- its types know only their own defaults
  } as any) as unknown as Client;
}
