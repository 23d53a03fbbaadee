/** The dependencies of connections to upstreams that survive reloads: resolver, servers, held clients, Redis. */

import type { Config } from "../config/config.ts";
import { serversOf } from "../config/servers.ts";
import type { Observer } from "../observe/observer.ts";
import { UpstreamContexts } from "../transport/tls/client.ts";
import type { ReadFile } from "../transport/tls/files.ts";
import { type Connect, Dialer } from "../upstream/dialer.ts";
import { Hold } from "../upstream/hold.ts";
import { type Lookup, Resolver } from "../upstream/resolver.ts";
import { Upstreams, type UpstreamsOptions } from "../upstream/upstreams.ts";
import type { Waker } from "../upstream/waker.ts";
import { checkServer } from "./check_server.ts";
import type { DialSettings } from "./dial_settings.ts";
import { RedisInUse } from "./redis_in_use.ts";

/** Replacements for the platform in tests, and callbacks for the health of servers. */
export interface DialingOptions {
  /** @default Deno.connect */
  readonly connect?: Connect | undefined;
  /** @default the system's resolver */
  readonly lookup?: Lookup | undefined;
  /** See `UpstreamsOptions`. */
  readonly countOf?: UpstreamsOptions["countOf"];
  /** See `UpstreamsOptions`. */
  readonly onDialed?: UpstreamsOptions["onDialed"];
  /** Wakes the upstreams of held clients. @default this thread does */
  readonly waker?: Waker | undefined;
  readonly observer: Pick<Required<Observer>, "serverChanged">;
}

/** Makes the dial settings of each configuration over the same resolver, servers and connection to Redis. */
export class Dialing {
  readonly #connect: Connect | undefined;
  readonly #resolver: Resolver;
  readonly #upstreams: Upstreams;
  readonly #hold: Hold;
  readonly #redis: RedisInUse;

  constructor({ connect, lookup, countOf, onDialed, waker, observer }: DialingOptions) {
    this.#connect = connect;
    // the thread that decides on health also has a connection to Redis, and logs its state
    this.#redis = new RedisInUse(onDialed !== undefined);
    this.#hold = new Hold({ waker });
    this.#resolver = new Resolver(lookup);
    this.#upstreams = new Upstreams({
      onChange: (...change) => observer.serverChanged(...change),
      onDialed,
      countOf,
    });
  }

  /**
   * The settings of `config`, which are not used yet.
   *
   * @param read Reads TLS files.
   * @throws Error naming a file that cannot be read or used
   */
  settings(config: Config, read?: ReadFile): DialSettings {
    return {
      proxyProtocol: config.proxy_protocol,
      upstreamTls: new UpstreamContexts(serversOf(config), read),
      dialer: new Dialer({ connect: this.#connect, resolver: this.#resolver, dnsTtl: config.dns_ttl }),
      pools: this.#upstreams.build(config.pools),
      upstreams: this.#upstreams,
      hold: this.#hold,
      redis: this.#redis.of(config.redis),
    };
  }

  /** Puts `settings` into use: starts the checks of new servers, and stops those of removed ones. */
  use(settings: DialSettings): void {
    this.#redis.use(settings.redis);
    this.#upstreams.use(
      settings.pools,
      (server, check, signal) => checkServer(server, check, settings, signal),
    );
  }

  /** Ends the wait of held clients, and holds no more. */
  release(): void {
    this.#hold[Symbol.dispose]();
  }

  /** Stops the checks, and closes the connection to Redis. */
  async close(): Promise<void> {
    this.#upstreams[Symbol.dispose]();
    await this.#redis[Symbol.asyncDispose]();
  }
}
