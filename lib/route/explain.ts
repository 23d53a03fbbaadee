/** Explains which rule the table selects for an ID, and why not the others. */

import { REFUSAL_CODES, type RefusalName } from "../errors.ts";
import { nearest } from "../util/text.ts";
import type { RedisAnswer, Route, RouteTable, Step } from "./table.ts";

/** The decision of the address lists. */
export interface AccessVerdict {
  readonly allowed: boolean;
  /** The entry that decided, such as `deny 10.0.0.0/8`, or why no entry did. */
  readonly because: string;
}

/** The ERROR frame that a client would get. */
export interface Rejection {
  readonly name: RefusalName;
  readonly code: number;
  readonly because: string;
}

/** The result of a look-up, with every rule tried. */
export interface Explanation {
  readonly id: string;
  /** The selected route; absent if none matches. */
  readonly route?: Route;
  /** The refusal, if the client is refused. */
  readonly rejection?: Rejection;
  /** The decision on the client's address, if one was given. */
  readonly access?: AccessVerdict;
  /** Every rule tried, in order; of the exact rules only the one for this ID. */
  readonly steps: readonly Step[];
  /** The answer of Redis for the ID, if it was asked. */
  readonly redis?: RedisAnswer;
  /** If no exact rule has this ID: how many others there are, and the nearest. */
  readonly exact?: { readonly count: number; readonly nearest?: string };
}

/** Facts about the client besides its ID. */
export interface ExplainOptions {
  /** Why `id` is not a valid ID, if it is not. */
  readonly invalid?: string | undefined;
  readonly access?: AccessVerdict | undefined;
  /** The answer of Redis for the ID, if it was asked. */
  readonly redis?: RedisAnswer | undefined;
  /** Whether no server of a pool gets new connections. @default none is */
  readonly isDrained?: (pool: string) => boolean;
}

/** Why a rule is selected or not. */
export function verdictOf(
  { matches, selected }: Pick<Step, "matches" | "selected">,
  redis?: RedisAnswer,
): string {
  if (selected) return "selected";
  if (!matches) return "does not match";
  return redis?.problem === undefined
    ? "matches too, but an earlier rule is selected"
    : "matches, but is not used: Redis may have a route for the ID";
}

/** Why Redis gave no route, if it was asked and gave none. */
export function redisVerdict({ route, problem }: RedisAnswer): string | undefined {
  if (problem !== undefined) return `cannot be used: ${problem}`;
  return route ? undefined : "does not match";
}

/** Explains the look-up of `id` in `table`. */
export function explainRoute(
  table: RouteTable,
  id: string,
  { invalid, access, redis, isDrained = () => false }: ExplainOptions = {},
): Explanation {
  const steps = invalid === undefined ? [...table.trace(id, redis)] : [];
  const route = steps.find(({ selected }) => selected)?.route;
  const isExact = table.routeOf({ kind: "id", text: id }) !== undefined;
  const rejection = rejectionOf({ invalid, access, redis, isDrained }, route);
  return {
    id,
    ...(route && { route }),
    ...(rejection && { rejection }),
    ...(access && { access }),
    ...(redis && { redis }),
    steps,
    ...(invalid === undefined && !isExact && { exact: nearestExact(table, id) }),
  };
}

/** The address is checked first, then the frame, then the route. */
function rejectionOf(
  { invalid, access, redis, isDrained }: ExplainOptions,
  route: Route | undefined,
): Rejection | undefined {
  const rejection = (name: RefusalName, because: string) => ({ name, code: REFUSAL_CODES[name], because });
  if (access && !access.allowed) return rejection("FORBIDDEN", access.because);
  if (invalid !== undefined) return rejection("BAD_FRAME", `expected ${invalid}`);
  if (redis?.problem !== undefined) return rejection("UPSTREAM_UNAVAILABLE", redis.problem);
  if (!route) return rejection("UNKNOWN_ID", "no route matches and there is no default");
  const { pool } = route.target;
  if (pool === undefined || !isDrained?.(pool)) return undefined;
  return rejection("UPSTREAM_UNAVAILABLE", `every server of pool ${pool} is drained`);
}

function nearestExact(table: RouteTable, id: string): { count: number; nearest?: string } {
  const near = nearest(id, table.ids()) ?? typosOf(id).find((other) => table.tables?.has(other));
  return { count: table.exactSize, ...(near !== undefined && { nearest: near }) };
}

/** Longer IDs have too many neighbours. */
const MAX_TYPO_LENGTH = 64;

const LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.:";

/**
 * Possible typos of `id`: one letter missing, added or replaced, or two adjacent ones swapped. Looking each of them up
 * is faster than comparing `id` with every one of a million IDs.
 */
function* typosOf(id: string): Generator<string> {
  const letters = [...id];
  if (letters.length > MAX_TYPO_LENGTH) return;
  for (const [at, letter] of letters.entries()) {
    const [before, after] = [letters.slice(0, at).join(""), letters.slice(at + 1)];
    yield `${before}${after.join("")}`;
    yield `${before}${after[0] ?? ""}${letter}${after.slice(1).join("")}`;
  }
  for (let at = 0; at <= letters.length; at++) {
    const [before, after] = [letters.slice(0, at).join(""), letters.slice(at)];
    for (const other of LETTERS) {
      yield `${before}${other}${after.slice(1).join("")}`;
      yield `${before}${other}${after.join("")}`;
    }
  }
}
