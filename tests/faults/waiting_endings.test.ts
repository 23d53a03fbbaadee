/** The reason of each ending while a connection waits: for its ID, for a place, for a held or a dialed upstream. */

import { ID, receiveAll, send } from "../bytes.ts";
import { type Balanced, type Ending, relayed, sends, testEndings, untilEnded } from "../observe/endings.ts";
import { poolOn } from "../pools.ts";
import { redisConfig } from "../redis.ts";
import { connectResetting, reset } from "../relay/resetting.ts";
import { startSilent } from "../silent.ts";
import { SHOWS_SOCKETS } from "../sockets.ts";
import { until } from "../wait.ts";

const kick = ({ balancer: { engine } }: Balanced) =>
  engine.terminate({ conn: 1 }, { reason: "kicked", closedBy: "balancer" });

/** A client that sends nothing, and `act` while it is connected. */
function silent(act: (balanced: Balanced) => unknown = () => {}): Ending["end"] {
  return async (balanced) => {
    using client = await balanced.connect();
    await until(() => balanced.balancer.active === 1, "it is accepted");
    await act(balanced);
    await receiveAll(client);
  };
}

/** Uses another configuration before `end`. */
function having(
  change: (balanced: Balanced) => Partial<Balanced["config"]>,
  end: Ending["end"],
): Ending["end"] {
  return async (balanced) => {
    await balanced.balancer.reload({ ...balanced.config, ...change(balanced) });
    await end(balanced);
  };
}

/** A client whose upstream does not answer the connect, and `act` meanwhile. */
function dialing(act: (balanced: Balanced) => unknown): Ending["end"] {
  return async (balanced) => {
    using upstream = await startSilent();
    await having(() => ({ routes: [{ id: "1", host: "127.0.0.1", port: upstream.port }] }), async () => {
      using client = await balanced.connect();
      await send(client, ID);
      await until(() => [...balanced.balancer.engine.registry][0]?.attempts === 1, "it is dialed");
      await act(balanced);
      await receiveAll(client);
    })(balanced);
  };
}

/** A client that is held, since its upstream refuses, and `act` meanwhile. */
function held(act: (balanced: Balanced, client: Awaited<ReturnType<typeof connectResetting>>) => unknown) {
  const route = { id: "1", host: "127.0.0.1", port: 9, hold: { for: 600_000, clients: 1 } };
  return having(() => ({ routes: [route] }), async (balanced) => {
    const client = await connectResetting(balanced.port);
    client.write(ID);
    await until(() => balanced.balancer.engine.snapshot.hold.held === 1, "it is held");
    await act(balanced, client);
    await untilEnded(balanced, 1);
    client.destroy();
  });
}

/** A second client beside one that is relayed. */
const second: Ending["end"] = async (balanced) => {
  using client = await relayed(balanced);
  await sends(ID)(balanced);
  await untilEnded(balanced, 1);
  await client.closeWrite();
  await receiveAll(client);
};

const SECOND_REFUSED = ["LIMIT_EXCEEDED by balancer", "client_fin by client"];

const SILENT: Ending[] = [
  {
    name: "a client that sends nothing",
    changes: { timeouts: { id: 200 } },
    end: silent(),
    expected: ["ID_TIMEOUT by balancer"],
  },
  {
    name: "an operator ends a client that has sent no ID",
    end: silent(kick),
    expected: ["kicked by balancer"],
  },
];

const LIMITS: Ending[] = [
  ...(["connections", "connections_per_ip", "connection_rate_per_ip"] as const).map((limit) => ({
    name: `limits.${limit}`,
    changes: { limits: { [limit]: 1 } },
    end: second,
    expected: SECOND_REFUSED,
  })),
  {
    name: "duplicate_id: reject",
    changes: { duplicate_id: "reject" },
    end: second,
    expected: SECOND_REFUSED,
  },
  {
    name: "a pool whose servers are full",
    end: having(({ upstream: { port } }) => ({
      routes: [{ id: "1", pool: "eu" }],
      pools: { eu: poolOn([port], { max_connections: 1 }) },
    }), second),
    expected: SECOND_REFUSED,
    detail: /max_connections/,
  },
  {
    name: "a pool whose servers are drained",
    end: having(() => {
      const server = { host: "127.0.0.1", port: 9, weight: 0, backup: false };
      return { routes: [{ id: "1", pool: "eu" }], pools: { eu: poolOn([], { servers: [server] }) } };
    }, sends(ID)),
    expected: ["UPSTREAM_UNAVAILABLE by balancer"],
    detail: /drained/,
  },
  {
    name: "Redis that does not answer",
    changes: { redis: redisConfig('url: "redis://127.0.0.1:9"'), routes: [] },
    end: sends(ID),
    expected: ["UPSTREAM_UNAVAILABLE by balancer"],
    detail: /^redis: /,
  },
];

const HELD: Ending[] = [
  {
    name: "an upstream that stays away for as long as clients are held",
    end: having(() => {
      return { routes: [{ id: "1", host: "127.0.0.1", port: 9, hold: { for: 300, clients: 1 } }] };
    }, sends(ID)),
    expected: ["UPSTREAM_UNAVAILABLE by balancer"],
  },
  {
    name: "a held client that resets",
    end: held((_, client) => reset(client)),
    expected: ["client_reset by client"],
  },
  { name: "an operator ends a held client", end: held(kick), expected: ["kicked by balancer"] },
];

const DIALED: Ending[] = [
  {
    name: "an operator ends a client whose upstream is dialed",
    end: dialing(kick),
    expected: ["kicked by balancer"],
  },
  {
    name: "a drain ends while the upstream is dialed",
    changes: { timeouts: { drain: 100 } },
    end: dialing(({ balancer }) => void balancer.drain()),
    expected: ["drain by balancer"],
  },
];

testEndings([...SILENT, ...LIMITS, ...HELD]);
testEndings(DIALED, !SHOWS_SOCKETS);
