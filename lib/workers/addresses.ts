/** The addresses of the configuration, with the ports that the system chose. */

import { getLogger } from "@logtape/logtape";
import type { ListenerConfig } from "../config/config.ts";
import { bind, freeKey, type Listen } from "../listen/bind.ts";
import { addressText } from "../util/text.ts";

const log = getLogger("switchyard");

/** New addresses that can be listened on. Disposing of it frees the ports that it holds. */
export interface PreparedAddresses extends Disposable {
  /** The listeners as workers are to open them. */
  readonly listeners: readonly ListenerConfig[];
  /** Called once the workers listen. */
  commit(): void;
}

/** See the top of the file. */
export class Addresses {
  readonly #listen: Listen;
  #bound = new Map<string, Deno.NetAddr>();

  constructor(listen: Listen = Deno.listen) {
    this.#listen = listen;
  }

  /** The addresses, with the ports that the system chose for port 0. */
  get all(): Deno.NetAddr[] {
    return [...this.#bound.values()];
  }

  /**
   * Tries to listen on new addresses: workers share their ports (`SO_REUSEPORT`), and would not notice that another
   * program uses one.
   *
   * @throws Error naming the address that cannot be listened on
   */
  prepare(configs: readonly ListenerConfig[]): PreparedAddresses {
    using probes = new DisposableStack();
    using held = new DisposableStack();
    const after = new Map<string, Deno.NetAddr>();
    const free: Deno.NetAddr[] = [];
    const listeners = configs.map((config): ListenerConfig => {
      const key = freeKey(config.address, after);
      const known = this.#bound.get(key);
      const addr = known ?? probes.adopt(
        bind(config.address, { listen: this.#listen, own: this.all }),
        (socket) => socket.close(),
      ).addr as Deno.NetAddr;
      if (!known && config.address.port === 0) free.push(addr);
      after.set(key, addr);
      return { ...config, address: { ...config.address, port: addr.port } };
    });
    probes.dispose();
    // a port that the system chose is held until the workers listen, so that nobody else gets it
    for (const { hostname, port } of free) {
      held.adopt(
        bind({ host: hostname, port }, { listen: this.#listen, reusePort: true, own: [] }),
        (socket) => socket.close(),
      );
    }
    const holding = held.move();
    return {
      listeners,
      commit: () => this.#use(after),
      [Symbol.dispose]: () => holding.dispose(),
    };
  }

  #use(after: Map<string, Deno.NetAddr>): void {
    const before = this.#bound;
    this.#bound = after;
    for (const [key, addr] of after) if (!before.has(key)) log.info(`listening on ${addressText(addr)}`);
    for (const [key, addr] of before) {
      if (!after.has(key)) log.info(`no longer listening on ${addressText(addr)}`);
    }
  }
}
