/** Strategies by which a pool picks the server for a new connection. Pure, except for each strategy's state. */

import type { PoolConfig } from "../config/config.ts";

/** A server to choose from. */
export interface Choice {
  /** Identifies the server, here and in other balancers: `host:port`. */
  readonly key: string;
  /** Share of the connections relative to other weights; over 0. */
  readonly weight: number;
  /** Number of its connections. */
  readonly active: number;
}

/** Picks the server for `id` out of at least one of `choices`. */
export type Strategy = <T extends Choice>(id: string, choices: readonly [T, ...T[]]) => T;

/** A strategy with its own state. @param random Uniform in [0, 1). */
export function strategyOf(name: PoolConfig["strategy"], random: () => number = Math.random): Strategy {
  switch (name) {
    case "hash":
      return rendezvous();
    case "round_robin":
      return smoothRoundRobin();
    case "least_connections":
      return leastConnections(random);
    case "random":
      return twoChoices(random);
  }
}

/**
 * Weighted rendezvous hashing ("highest random weight"): each server scores each ID, and the best score wins. So an ID
 * stays with its server when others change, and shares follow the weights. A score depends on nothing but the ID, the
 * server's key and its weight, so every balancer picks the same server.
 */
function rendezvous(): Strategy {
  const seeds = new Map<string, number>();
  const seedOf = (key: string) => {
    const seed = seeds.get(key) ?? mix(hashText(key));
    if (seeds.size < MOST_REMEMBERED) seeds.set(key, seed);
    return seed;
  };
  return (id, choices) => {
    const hash = hashText(id);
    // -weight / ln(u), u uniform in (0, 1): a server has the largest with probability weight / sum of weights
    return best(choices, ({ key, weight }) => {
      return -weight / Math.log((mix(hash ^ seedOf(key)) + 0.5) / 2 ** 32);
    });
  };
}

/** Cached hashes of keys: more than any pool has servers. */
const MOST_REMEMBERED = 10_000;

/** FNV-1a over the UTF-16 code units, 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** The finalizer of MurmurHash3: each input bit flips about half of the output bits. */
function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Smooth weighted round robin, as in nginx: with every pick each server earns its weight, and the one with the highest
 * credit is picked and pays the sum. Weights 5, 1, 1 give a a b a c a a instead of five in a row.
 */
function smoothRoundRobin(): Strategy {
  let credits = new Map<string, number>();
  return (_id, choices) => {
    // drops the credits of removed servers
    if (credits.size > 2 * choices.length + 16) {
      credits = new Map(choices.map(({ key }) => [key, credits.get(key) ?? 0]));
    }
    let total = 0;
    for (const { key, weight } of choices) {
      credits.set(key, (credits.get(key) ?? 0) + weight);
      total += weight;
    }
    const picked = best(choices, ({ key }) => credits.get(key) ?? 0);
    credits.set(picked.key, (credits.get(picked.key) ?? 0) - total);
    return picked;
  };
}

/** The server with the fewest connections per weight, counting the new one; ties are broken at random. */
function leastConnections(random: () => number): Strategy {
  return (_id, choices) => {
    let equals = 0;
    let least = Infinity;
    let [picked] = choices;
    for (const choice of choices) {
      const load = (choice.active + 1) / choice.weight;
      if (load > least) continue;
      equals = load < least ? 1 : equals + 1;
      least = load;
      if (equals === 1 || random() * equals < 1) picked = choice;
    }
    return picked;
  };
}

/** Draws two servers by weight, and picks the one with fewer connections per weight. */
function twoChoices(random: () => number): Strategy {
  return (_id, choices) => {
    const first = draw(choices, random);
    const [other, ...others] = choices.filter((choice) => choice !== first);
    if (!other) return first;
    const second = draw([other, ...others], random);
    return second.active / second.weight < first.active / first.weight ? second : first;
  };
}

/** Draws one of `choices` with a probability proportional to its weight. */
function draw<T extends Choice>(choices: readonly [T, ...T[]], random: () => number): T {
  let rest = random() * choices.reduce((sum, { weight }) => sum + weight, 0);
  for (const choice of choices) {
    rest -= choice.weight;
    if (rest < 0) return choice;
  }
  return choices[0];
}

/** The first of those with the highest score. */
function best<T>(choices: readonly [T, ...T[]], score: (choice: T) => number): T {
  let [picked] = choices;
  let highest = -Infinity;
  for (const choice of choices) {
    const scored = score(choice);
    if (scored > highest) [picked, highest] = [choice, scored];
  }
  return picked;
}
