/** Finds the server that has the hash: it is configured, or sentinels or a cluster know it. */

import type { HostPort, RedisConfig } from "../../config/config.ts";
import { messageOf } from "../../errors.ts";
import { hostPortText } from "../../util/text.ts";
import { keySlot } from "./key_slot.ts";
import { type Link, RedisError } from "./link.ts";

/** Connects to a server that is asked for the address of another. */
export type Ask = (at: HostPort) => Promise<Link>;

/** Finds the server, and checks that a connection leads to it. */
export interface HashLocator {
  /** For messages, such as `redis://127.0.0.1:6379`. */
  readonly text: string;
  /** @throws {RedisError} */
  find(): Promise<HostPort>;
  /** @throws {RedisError} if the hash belongs to another server */
  check(link: Link): Promise<void>;
}

/** The locator for `config`. */
export function locatorOf({ url, cluster, sentinel, key }: RedisConfig, ask: Ask): HashLocator {
  if (cluster) return new ClusterLocator(cluster, key, ask);
  if (sentinel) return new SentinelLocator(sentinel.master, sentinel.addresses, ask);
  if (!url) throw new Error("redis has no url");
  return {
    text: `redis${url.tls ? "s" : ""}://${hostPortText(url)}`,
    find: () => Promise.resolve(url),
    check: () => Promise.resolve(),
  };
}

/** Identifies the hash. */
export function hashOf({ url, cluster, sentinel, key, database }: RedisConfig): string {
  return JSON.stringify([url, cluster, sentinel?.master, sentinel?.addresses, key, database]);
}

/** Sentinels, which know the current master (https://redis.io/docs/latest/develop/reference/sentinel-clients/). */
class SentinelLocator implements HashLocator {
  readonly text: string;
  readonly #master: string;
  readonly #servers: Servers;

  constructor(master: string, addresses: readonly HostPort[], ask: Ask) {
    this.#master = master;
    this.#servers = new Servers(addresses, ask);
    this.text = `master ${master} of the sentinels ${addresses.map(hostPortText).join(", ")}`;
  }

  find(): Promise<HostPort> {
    return this.#servers.first(async (link) => {
      const reply = await link.command("SENTINEL", "get-master-addr-by-name", this.#master);
      if (!Array.isArray(reply)) {
        throw new RedisError(
          `${hostPortText(link.at)}: it does not know the master ${JSON.stringify(this.#master)}`,
        );
      }
      return { host: String(reply[0]), port: Number(reply[1]) };
    });
  }

  /** Sentinels may name the previous master for a while. */
  async check(link: Link): Promise<void> {
    const role = await link.command("ROLE");
    const name = Array.isArray(role) ? String(role[0]) : String(role);
    if (name === "master") return;
    throw new RedisError(`${hostPortText(link.at)}: its role is ${JSON.stringify(name)}, expected "master"`);
  }
}

/** A cluster: the hash is one key, so one of its masters has it (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/). */
class ClusterLocator implements HashLocator {
  readonly text: string;
  readonly #slot: number;
  readonly #seeds: readonly HostPort[];
  readonly #servers: Servers;

  constructor(seeds: readonly HostPort[], key: string, ask: Ask) {
    this.#slot = keySlot(key);
    this.#seeds = seeds;
    this.#servers = new Servers(seeds, ask);
    this.text = `cluster of ${seeds.map(hostPortText).join(", ")}`;
  }

  find(): Promise<HostPort> {
    return this.#servers.first(async (link) => {
      const ranges = slotRanges(await link.command("CLUSTER", "SLOTS"), link.at);
      // the discovered servers are asked too if all configured ones are down
      this.#servers.use([...this.#seeds, ...ranges.flatMap(({ nodes }) => nodes)]);
      const range = ranges.find(({ from, to }) => from <= this.#slot && this.#slot <= to);
      const [master] = range?.nodes ?? [];
      if (!master) {
        throw new RedisError(`${hostPortText(link.at)}: no server has slot ${this.#slot} of the key`);
      }
      return master;
    });
  }

  /** Another server would answer the probe of the key with MOVED. */
  check(): Promise<void> {
    return Promise.resolve();
  }
}

/** Servers that know the same; the one that answered last is asked first. */
class Servers {
  #addresses: readonly HostPort[];
  readonly #ask: Ask;

  constructor(addresses: readonly HostPort[], ask: Ask) {
    this.#addresses = addresses;
    this.#ask = ask;
  }

  /** Replaces the list of servers, in the order in which to ask them. */
  use(addresses: readonly HostPort[]): void {
    const byText = new Map(addresses.map((address) => [hostPortText(address), address]));
    this.#addresses = [...byText.values()];
  }

  /** The first answer. @throws {RedisError} with the failure of each server */
  async first<T>(question: (link: Link) => Promise<T>): Promise<T> {
    const failures: string[] = [];
    for (const address of this.#addresses) {
      try {
        using link = await this.#ask(address);
        const answer = await question(link);
        this.use([address, ...this.#addresses]);
        return answer;
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    throw new RedisError(failures.join("; "));
  }
}

interface SlotRange {
  readonly from: number;
  readonly to: number;
  /** The master, then its replicas. */
  readonly nodes: readonly HostPort[];
}

/** Parses the reply to CLUSTER SLOTS. A node without an address is the server that was asked. */
function slotRanges(reply: unknown, asked: HostPort): SlotRange[] {
  if (!Array.isArray(reply)) return [];
  return reply.map(([from, to, ...nodes]) => ({
    from: Number(from),
    to: Number(to),
    nodes: nodes.map(([host, port]: [unknown, unknown]) => ({
      host: typeof host === "string" && host !== "" && host !== "?" ? host : asked.host,
      port: Number(port),
    })),
  }));
}
