/** Explains how the running balancer would treat a connection with an ID. */

import { AccessList } from "../admission/access_list.ts";
import type { Config } from "../config/config.ts";
import { idExpected, parseCidr } from "../config/values.ts";
import type { ConnectionCounts } from "../connection/registry.ts";
import type { EngineFace, Routing } from "../engine/face.ts";
import { messageOf, type RefusalName } from "../errors.ts";
import { redisVerdict, verdictOf } from "../route/explain.ts";
import { poolProblem } from "../route/redis/value.ts";
import { type RedisAnswer, ruleText, type Step } from "../route/table.ts";
import type { ServerPool } from "../upstream/pool.ts";
import type { Server } from "../upstream/server.ts";
import { subnetOf } from "../util/cidr.ts";
import { quote, targetText } from "../util/text.ts";
import { HttpError } from "./http.ts";

/** A rule that was tried. */
export interface RuleStep {
  readonly rule: string;
  readonly target: string;
  /** Whether it is selected, or why not. */
  readonly verdict: string;
}

/** A server, in the order in which it would be tried now. */
export interface Candidate {
  readonly upstream: string;
  /** Whether a connection would try it. */
  readonly tried: boolean;
  readonly why: string;
}

/** Why a client would be refused. */
export interface Refused {
  readonly reason: RefusalName;
  readonly why: string;
}

/** The admission decision on an address. */
export interface Admission {
  readonly address: string;
  readonly refused: Refused | null;
  /** A line for each list and limit. */
  readonly checks: readonly string[];
}

/** The whole answer. */
export interface LiveExplanation {
  readonly id: string;
  /** The ERROR that the client would get before any server is tried, and why; null for none. */
  readonly refused: Refused | null;
  readonly rules: readonly RuleStep[];
  readonly candidates: readonly Candidate[];
  /** The admission decision on the address; null if none was given. */
  readonly from: Admission | null;
}

/** @throws {HttpError} 400 if `from` is not an address */
export async function explain(engine: EngineFace, id: string, from?: string): Promise<LiveExplanation> {
  const { config, snapshot } = engine;
  const admission = from === undefined ? null : await admissionOf(engine, from, id);
  const wrong = idExpected(id, config.limits.id_bytes);
  const answer = wrong === undefined ? await redisAnswer(snapshot, id) : undefined;
  const steps = wrong === undefined ? [...snapshot.table.trace(id, answer)] : [];
  const selected = steps.find((step) => step.selected)?.route;
  const target = selected?.target;
  const pool = target?.pool === undefined ? undefined : snapshot.pools.get(target.pool);
  const candidates = pool ? candidatesOf(pool, id) : target ? [only(targetText(target))] : [];
  return {
    id,
    refused: admission?.refused ??
      refusalOf(id, { wrong, draining: engine.draining, answer, hasRoute: selected !== undefined }) ??
      (pool ? refusalOfPool(pool, candidates) : null),
    rules: [...redisRule(id, answer), ...steps.map((step) => ruleStep(step, answer))],
    candidates,
    from: admission,
  };
}

function ruleStep(step: Step, answer: RedisAnswer | undefined): RuleStep {
  const { rule, target } = step.route;
  return { rule: ruleText(rule), target: targetText(target), verdict: verdictOf(step, answer) };
}

/** A step for Redis, if it was asked and gave no route. */
function* redisRule(id: string, answer: RedisAnswer | undefined): Generator<RuleStep> {
  const verdict = answer && redisVerdict(answer);
  if (answer && verdict !== undefined) yield { rule: `redis ${id}`, target: answer.where, verdict };
}

/** The answer of Redis for an ID without an exact rule. */
async function redisAnswer({ table, pools, redis }: Routing, id: string): Promise<RedisAnswer | undefined> {
  if (!redis || table.findExact(id)) return undefined;
  const where = redis.text;
  try {
    const route = await redis.find(id);
    const problem = route && poolProblem(route.target, pools);
    return problem === undefined ? { where, route } : { where, problem };
  } catch (error) {
    return { where, problem: messageOf(error instanceof Error ? error.cause ?? error : error) };
  }
}

interface Decided {
  /** The reason if it is not a valid ID. */
  readonly wrong: string | undefined;
  readonly draining: boolean;
  readonly answer: RedisAnswer | undefined;
  readonly hasRoute: boolean;
}

function refusalOf(id: string, { wrong, draining, answer, hasRoute }: Decided): Refused | null {
  if (wrong !== undefined) return { reason: "BAD_FRAME", why: `expected ${wrong}` };
  if (draining) return { reason: "SHUTTING_DOWN", why: "the balancer is draining" };
  if (answer?.problem !== undefined) return { reason: "UPSTREAM_UNAVAILABLE", why: answer.problem };
  return hasRoute ? null : { reason: "UNKNOWN_ID", why: `no route for ID ${quote(id)}` };
}

/** As `connectUpstream` refuses where there is no server to try. */
function refusalOfPool({ name, servers }: ServerPool, candidates: readonly Candidate[]): Refused | null {
  if (candidates.some(({ tried }) => tried)) return null;
  if (servers.every(({ draining }) => draining)) {
    return { reason: "UPSTREAM_UNAVAILABLE", why: `every server of pool ${name} is drained` };
  }
  return { reason: "LIMIT_EXCEEDED", why: `every server of pool ${name} that could be tried is full` };
}

function only(upstream: string): Candidate {
  return { upstream, tried: true, why: "the only server of this route" };
}

/** Asking a strategy that takes turns would advance it, so only one that depends on the ID gives an order. */
function candidatesOf(pool: ServerPool, id: string): Candidate[] {
  const byId = pool.config.strategy === "hash";
  const order = byId ? [...inOrder(pool, id)] : [];
  const place = (server: Server) => byId ? order.indexOf(server) : pool.servers.indexOf(server);
  const up = pool.servers.filter(({ state, draining }) => state === "up" && !draining);
  const now: Now = { anyUp: up.length > 0, onlyBackups: up.every(({ backup }) => backup) };
  const all = pool.servers.map((server) => ({ server, ...verdict(server, pool, now) }));
  const rank = ({ tried, server }: { tried: boolean; server: Server }) =>
    (tried ? 0 : 1e6) + (server.backup ? 1e5 : 0) + place(server);
  return all.toSorted((one, other) => rank(one) - rank(other))
    .map(({ server, tried, why }) => ({ upstream: server.key, tried, why }));
}

function* inOrder(pool: ServerPool, id: string): Generator<Server> {
  const candidates = pool.candidates(id);
  for (let server = candidates.next(); server; server = candidates.next()) yield server;
}

/** Which servers of a pool are up. */
interface Now {
  readonly anyUp: boolean;
  readonly onlyBackups: boolean;
}

function verdict(
  server: Server,
  { config }: ServerPool,
  { anyUp, onlyBackups }: Now,
): { tried: boolean; why: string } {
  const { max_connections: most, strategy } = config;
  if (server.draining) return { tried: false, why: "drained: it gets no new connections" };
  if (anyUp && server.state !== "up") return { tried: false, why: `unhealthy: ${server.state}` };
  if (most > 0 && server.active >= most) {
    return { tried: false, why: `full: ${server.active} of ${most} connections` };
  }
  if (!anyUp) return { tried: true, why: `${server.state}, but no server is up, so all are tried` };
  if (server.backup) {
    const why = onlyBackups ? "no other server is up" : "tried once no other server can be reached";
    return { tried: true, why: `backup: ${why}` };
  }
  return { tried: true, why: `up, ${server.active} connections, picked by ${strategy}` };
}

async function admissionOf(engine: EngineFace, address: string, id: string): Promise<Admission> {
  if (parseCidr(address) === undefined || address.includes("/")) {
    throw new HttpError(400, `parameter from: ${quote(address)} is not an IP address, such as 192.0.2.7`);
  }
  const { allow, deny } = engine.config;
  const verdict = new AccessList({ allow, deny }).verdict(address);
  const access: Check = {
    ok: verdict.allowed,
    text: `${verdict.allowed ? "allowed" : "denied"}: ${verdict.because}`,
  };
  const subnet = subnetOf(address);
  const limits = [...limitsOf(engine.config, subnet, await engine.count({ subnet, id }))];
  const over = limits.find(({ ok }) => !ok);
  const refused: Refused | null = !access.ok
    ? { reason: "FORBIDDEN", why: access.text }
    : over
    ? { reason: "LIMIT_EXCEEDED", why: over.text }
    : null;
  return { address, refused, checks: [access, ...limits].map(({ text }) => text) };
}

interface Check {
  readonly ok: boolean;
  readonly text: string;
}

function* limitsOf(
  { limits, duplicate_id }: Config,
  subnet: string,
  { active, silent, ofSubnet, ofId }: ConnectionCounts,
): Generator<Check> {
  yield placeCheck(active, silent, limits.connections ?? 0);
  yield check(`connections_per_ip of ${subnet}`, ofSubnet, limits.connections_per_ip);
  yield check("connections_per_id", ofId, idLimit(limits, duplicate_id));
  if (limits.connection_rate_per_ip > 0) {
    const rate = `at most ${limits.connection_rate_per_ip} a second`;
    yield {
      ok: true,
      text: `connection_rate_per_ip: ${rate}; not checked, since it changes within a second`,
    };
  }
}

/** A client that has sent no ID makes room for another if every place is taken. */
function placeCheck(active: number, silent: number, limit: number): Check {
  const { ok, text } = check("connections", active, limit);
  if (ok || silent === 0) return { ok, text };
  return { ok: true, text: `${text}; one that has sent no ID would be closed for this one` };
}

/** Under `replace` the older connection goes, and the new one is admitted. */
function idLimit({ connections_per_id }: Config["limits"], duplicate: Config["duplicate_id"]): number {
  if (duplicate === "allow") return connections_per_id;
  return duplicate === "reject" ? 1 : 0;
}

function check(name: string, count: number, limit: number): Check {
  if (limit === 0) return { ok: true, text: `${name}: ${count}, no limit` };
  return { ok: count < limit, text: `${name}: ${count} of ${limit}` };
}
