/** The addresses of the configuration, with the ports that the system chose. */

import { getLogger } from "@logtape/logtape";
import type { HostPort, ListenerConfig } from "../config/config.ts";
import { bind, freeKey } from "../listen/bind.ts";
import { addressText } from "../util/text.ts";

const log = getLogger("switchyard");

/** Has the system choose a port at `host`, which stays open for the workers. */
export type ReservePort = (host: string) => Promise<Deno.NetAddr>;

/** New addresses that can be listened on. */
export interface PreparedAddresses {
  /** The listeners as workers are to open them. */
  readonly listeners: readonly ListenerConfig[];
  /** Called once the workers listen. */
  commit(): void;
}

/** Maps the configured addresses to those that the workers listen on. */
export class Addresses {
  readonly #reserve: ReservePort;
  #bound = new Map<string, Deno.NetAddr>();

  constructor(reserve: ReservePort) {
    this.#reserve = reserve;
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
  async prepare(configs: readonly ListenerConfig[]): Promise<PreparedAddresses> {
    using probes = new DisposableStack();
    const after = new Map<string, Deno.NetAddr>();
    const listeners: ListenerConfig[] = [];
    for (const config of configs) {
      const { address } = config;
      const key = freeKey(address, after);
      const addr = this.#bound.get(key) ??
        (address.port === 0 ? await this.#reserve(address.host) : this.#probe(address, probes));
      after.set(key, addr);
      listeners.push({ ...config, address: { ...address, port: addr.port } });
    }
    return { listeners, commit: () => this.#use(after) };
  }

  #probe(address: HostPort, probes: DisposableStack): Deno.NetAddr {
    const socket = bind(address, { own: this.all });
    return probes.adopt(socket, () => socket.close()).addr;
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
