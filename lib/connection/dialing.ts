/** What connections to upstreams need, and what of it outlives a reload: names, servers, held clients. */

import type { Config } from "../config/config.ts";
import { serversOf } from "../config/servers.ts";
import type { Observer } from "../observe/observer.ts";
import { UpstreamContexts } from "../transport/tls/client.ts";
import type { ReadFile } from "../transport/tls/files.ts";
import { type Connect, Dialer } from "../upstream/dialer.ts";
import { Hold } from "../upstream/hold.ts";
import { type Lookup, Resolver } from "../upstream/resolver.ts";
import { type Pools, Upstreams } from "../upstream/upstreams.ts";
import { checkServer } from "./check_server.ts";

/** What tests put in place of the platform, and who is told of a server's health. */
export interface DialingOptions {
  /** @default Deno.connect */
  readonly connect?: Connect | undefined;
  /** @default the system's resolver */
  readonly lookup?: Lookup | undefined;
  readonly observer: Pick<Required<Observer>, "serverChanged">;
}

/** The part of a configuration's snapshot that is about upstreams. */
export interface DialSettings {
  readonly proxyProtocol: Config["proxy_protocol"];
  /** How TLS is used to upstreams. */
  readonly upstreamTls: UpstreamContexts;
  readonly dialer: Dialer;
  readonly pools: Pools;
  /** The servers' connections and health. They outlive a reload, and so do held clients. */
  readonly upstreams: Upstreams;
  readonly hold: Hold;
}

/** See the top of the file. */
export class Dialing {
  readonly #connect: Connect | undefined;
  readonly #resolver: Resolver;
  readonly #upstreams: Upstreams;
  readonly #hold = new Hold();

  constructor({ connect, lookup, observer }: DialingOptions) {
    this.#connect = connect;
    this.#resolver = new Resolver(lookup);
    this.#upstreams = new Upstreams({ onChange: (...change) => observer.serverChanged(...change) });
  }

  /**
   * The settings of `config`, which nothing uses yet.
   *
   * @param read Reads the files of TLS.
   * @throws Error that names a file that cannot be read or used
   */
  settings(config: Config, read?: ReadFile): DialSettings {
    return {
      proxyProtocol: config.proxy_protocol,
      upstreamTls: new UpstreamContexts(serversOf(config), read),
      dialer: new Dialer({ connect: this.#connect, resolver: this.#resolver, dnsTtl: config.dns_ttl }),
      pools: this.#upstreams.build(config.pools),
      upstreams: this.#upstreams,
      hold: this.#hold,
    };
  }

  /** Uses `settings` from now on: checks of servers that are new begin, those of servers that are gone end. */
  use(settings: DialSettings): void {
    this.#upstreams.use(
      settings.pools,
      (server, check, signal) => checkServer(server, check, settings, signal),
    );
  }

  /** Ends the wait of held clients, and holds no more. */
  release(): void {
    this.#hold[Symbol.dispose]();
  }

  /** Ends the checks. */
  close(): void {
    this.#upstreams[Symbol.dispose]();
  }
}
