import * as fc from "fast-check";
import { type Choice, type Strategy, strategyOf } from "../../lib/upstream/strategies.ts";
import { assert, assertAlmostEquals, assertEquals } from "../assert.ts";
import { sized } from "../soak.ts";

type Choices = [Choice, ...Choice[]];

/** One server for each weight. */
function servers(...weights: number[]): Choices {
  const [first, ...others] = weights.map((weight, index) => ({
    key: `10.0.0.${index}:9000`,
    weight,
    active: 0,
  }));
  assert(first);
  return [first, ...others];
}

/** How many of `ids` each server gets, in their order. */
function counts(strategy: Strategy, choices: Choices, ids: readonly string[]): number[] {
  const picked = new Map(choices.map((choice) => [choice, 0]));
  for (const id of ids) {
    const choice = strategy(id, choices);
    picked.set(choice, (picked.get(choice) ?? 0) + 1);
  }
  return [...picked.values()];
}

const idsUpTo = (count: number) => Array.from({ length: count }, (_, index) => String(index));

const without = (choices: Choices, gone: Choice): Choices =>
  choices.filter((each) => each !== gone) as Choices;

const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 });

/** Pseudo-random numbers in [0, 1), the same ones each time (mulberry32). */
function seeded(seed = 1): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (const name of ["hash", "round_robin", "least_connections", "random"] as const) {
  Deno.test(`${name}: always picks one of the servers it is given`, () => {
    fc.assert(fc.property(weights, fc.array(fc.string(), { maxLength: 30 }), (weights, ids) => {
      const choices = servers(...weights);
      const strategy = strategyOf(name);
      for (const id of ids) assert(choices.includes(strategy(id, choices)));
    }));
  });
}

const TEN = [1, 1, 2, 3, 1, 2, 1, 4, 1, 2];

for (const kind of ["numbers", "random text", "long with a common start"]) {
  Deno.test(`hash: 100,000 IDs (${kind}) on 10 servers are within 5 % of the weights`, () => {
    const random = seeded(7);
    const idOf = (index: number) => {
      if (kind === "numbers") return String(index);
      if (kind === "random text") return random().toString(36).slice(2);
      return `https://devices.example.com/europe/west/device-${index}/session`;
    };
    const choices = servers(...TEN);
    const found = counts(
      strategyOf("hash"),
      choices,
      Array.from({ length: 100_000 }, (_, index) => idOf(index)),
    );
    const total = TEN.reduce((sum, weight) => sum + weight);
    for (const [index, count] of found.entries()) {
      const expected = 100_000 * (TEN[index] ?? 0) / total;
      assertAlmostEquals(count, expected, expected * 0.05, `server ${index}: ${count}, expected ${expected}`);
    }
  });
}

Deno.test("hash: the loss of a server moves only its IDs, and its return brings exactly those back", () => {
  const choices = servers(...TEN);
  const hash = strategyOf("hash");
  const ids = idsUpTo(sized(100_000, 0.2));
  const before = ids.map((id) => hash(id, choices));
  for (const gone of choices) {
    const others = without(choices, gone);
    for (const [index, id] of ids.entries()) {
      if (before[index] === gone) continue;
      if (hash(id, others) !== before[index]) throw new Error(`${id} has moved though its server stayed`);
    }
  }
  assertEquals(counts(hash, choices, ids), counts(strategyOf("hash"), choices, ids));
  assert(ids.every((id, index) => hash(id, choices) === before[index]));
});

Deno.test("hash: a larger weight only moves IDs to its server", () => {
  fc.assert(fc.property(weights, fc.integer({ min: 1, max: 20 }), (weights, more) => {
    const before = servers(...weights);
    const after = servers(...weights.map((weight, index) => index === 0 ? weight + more : weight));
    const hash = strategyOf("hash");
    for (const id of idsUpTo(200)) {
      const [old, now] = [hash(id, before).key, hash(id, after).key];
      assert(old === now || now === after[0].key);
    }
  }));
});

Deno.test("hash: the order of the servers does not matter", () => {
  fc.assert(fc.property(weights, fc.string(), (weights, id) => {
    const choices = servers(...weights);
    const reversed = [...choices].reverse() as Choices;
    assertEquals(strategyOf("hash")(id, choices).key, strategyOf("hash")(id, reversed).key);
  }));
});

Deno.test("round_robin: in each round every server is picked as often as its weight", () => {
  fc.assert(fc.property(weights, fc.integer({ min: 1, max: 5 }), (weights, rounds) => {
    const total = weights.reduce((sum, weight) => sum + weight);
    const found = counts(strategyOf("round_robin"), servers(...weights), idsUpTo(total * rounds));
    assertEquals(found, weights.map((weight) => weight * rounds));
  }));
});

Deno.test("round_robin: no server is ever further from its share than its part of the weights", () => {
  fc.assert(fc.property(weights, (weights) => {
    const choices = servers(...weights);
    const strategy = strategyOf("round_robin");
    const total = weights.reduce((sum, weight) => sum + weight);
    const picked = new Map<Choice, number>();
    for (let pick = 1; pick <= total; pick++) {
      const choice = strategy("", choices);
      picked.set(choice, (picked.get(choice) ?? 0) + 1);
      for (const each of choices) {
        assertAlmostEquals(picked.get(each) ?? 0, pick * each.weight / total, choices.length);
      }
    }
  }));
});

Deno.test("round_robin: with weights 5, 1, 1 the picks are spread evenly", () => {
  const choices = servers(5, 1, 1);
  const strategy = strategyOf("round_robin");
  const order = idsUpTo(7).map(() => choices.indexOf(strategy("", choices)));
  assertEquals(order, [0, 0, 1, 0, 2, 0, 0]);
});

Deno.test("round_robin: the state kept for removed servers is bounded", () => {
  const strategy = strategyOf("round_robin");
  for (let round = 0; round < 1000; round++) {
    const key = `10.0.0.1:${round}`;
    assertEquals(strategy("", [{ key, weight: 1, active: 0 }]).key, key);
  }
});

Deno.test("least_connections: the pick has the fewest connections for its weight", () => {
  const choice = fc.record({ weight: fc.integer({ min: 1, max: 9 }), active: fc.nat(50) });
  fc.assert(fc.property(fc.array(choice, { minLength: 1, maxLength: 8 }), (made) => {
    const choices = made.map((each, index) => ({ ...each, key: String(index) })) as unknown as Choices;
    const picked = strategyOf("least_connections")("", choices);
    const load = ({ active, weight }: Choice) => (active + 1) / weight;
    assertEquals(load(picked), Math.min(...choices.map(load)));
  }));
});

Deno.test("least_connections: lasting connections are distributed by weight", () => {
  fc.assert(fc.property(weights, fc.integer({ min: 1, max: 10 }), (weights, rounds) => {
    const choices = servers(...weights) as [Choice & { active: number }, ...(Choice & { active: number })[]];
    const strategy = strategyOf("least_connections");
    const total = weights.reduce((sum, weight) => sum + weight);
    for (let pick = 0; pick < total * rounds; pick++) strategy("", choices).active += 1;
    assertEquals(choices.map(({ active }) => active), weights.map((weight) => weight * rounds));
  }));
});

Deno.test("least_connections: equal servers are picked equally often", () => {
  const found = counts(strategyOf("least_connections", seeded()), servers(1, 1, 1, 1), idsUpTo(10_000));
  for (const count of found) assertAlmostEquals(count, 2500, 250);
});

Deno.test("random: idle servers are picked by weight", () => {
  const found = counts(strategyOf("random", seeded()), servers(...TEN), idsUpTo(100_000));
  const total = TEN.reduce((sum, weight) => sum + weight);
  for (const [index, count] of found.entries()) {
    const expected = 100_000 * (TEN[index] ?? 0) / total;
    assertAlmostEquals(count, expected, expected * 0.05);
  }
});

Deno.test("random: of two servers the one with fewer connections for its weight is picked", () => {
  const choice = fc.record({ weight: fc.integer({ min: 1, max: 9 }), active: fc.nat(50) });
  fc.assert(fc.property(choice, choice, (one, other) => {
    const choices: Choices = [{ ...one, key: "one" }, { ...other, key: "other" }];
    const picked = strategyOf("random")("", choices);
    const load = ({ active, weight }: Choice) => active / weight;
    assertEquals(load(picked), Math.min(...choices.map(load)));
  }));
});

Deno.test("random: the busiest of several servers is picked last of all", () => {
  const [busy, ...others] = servers(1, 1, 1);
  const choices: Choices = [{ ...busy, active: 100 }, ...others];
  assertEquals(counts(strategyOf("random", seeded()), choices, idsUpTo(1000))[0], 0);
});
