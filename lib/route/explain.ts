/** Explains which rule the table selects for an ID, and why not the others. */

import { REFUSAL_CODES, type RefusalName } from "../errors.ts";
import { nearest } from "../util/text.ts";
import type { Route, RouteTable, Step } from "./table.ts";

/** The decision of the address lists. */
export interface AccessVerdict {
  readonly allowed: boolean;
  /** The entry that decided, such as `deny 10.0.0.0/8`, or why none did. */
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
  /** The route selected; absent where none matches. */
  readonly route?: Route;
  /** Why the client is turned away, where it is. */
  readonly rejection?: Rejection;
  /** The decision on the client's address, where one was given. */
  readonly access?: AccessVerdict;
  /** Every rule tried, in order; of the exact rules only the one for this ID. */
  readonly steps: readonly Step[];
  /** Where no exact rule has this ID: how many others there are, and the nearest. */
  readonly exact?: { readonly count: number; readonly nearest?: string };
}

/** What is known of the client besides its ID. */
export interface ExplainOptions {
  /** Why `id` cannot be an ID, where it cannot. */
  readonly invalid?: string | undefined;
  readonly access?: AccessVerdict | undefined;
}

/** Explains the look-up of `id` in `table`. */
export function explainRoute(
  table: RouteTable,
  id: string,
  { invalid, access }: ExplainOptions = {},
): Explanation {
  const steps = invalid === undefined ? [...table.trace(id)] : [];
  const route = steps.find(({ selected }) => selected)?.route;
  const isExact = table.routeOf({ kind: "id", text: id }) !== undefined;
  const rejection = rejectionOf(invalid, access, route);
  return {
    id,
    ...(route && { route }),
    ...(rejection && { rejection }),
    ...(access && { access }),
    steps,
    ...(invalid === undefined && !isExact && { exact: nearestExact(table, id) }),
  };
}

/** The address is checked first, then the frame, then the route. */
function rejectionOf(
  invalid: string | undefined,
  access: AccessVerdict | undefined,
  route: Route | undefined,
): Rejection | undefined {
  const rejection = (name: RefusalName, because: string) => ({ name, code: REFUSAL_CODES[name], because });
  if (access && !access.allowed) return rejection("FORBIDDEN", access.because);
  if (invalid !== undefined) return rejection("BAD_FRAME", `expected ${invalid}`);
  return route ? undefined : rejection("UNKNOWN_ID", "no route matches and there is no default");
}

function nearestExact(table: RouteTable, id: string): { count: number; nearest?: string } {
  const ids = [...table.ids()];
  const near = nearest(id, ids);
  return { count: ids.length, ...(near !== undefined && { nearest: near }) };
}
