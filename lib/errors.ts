/**
 * The closed set of reasons for refusing a connection, and predicates that classify errors.
 *
 * Every reason has a number (the code of an ERROR frame, see docs/protocol.md) and a name (logs and metrics).
 */

/** Codes of the ERROR frame, by name. */
export const REFUSAL_CODES = {
  /** The first frame cannot be an ID frame: unknown type, length 0 or over the cap, not UTF-8, control characters. */
  BAD_FRAME: 1,
  /** The first frame is a well-formed frame of another known type. */
  ID_EXPECTED: 2,
  /** No whole ID frame within `timeouts.id`. */
  ID_TIMEOUT: 3,
  /** No route matches and there is no default. */
  UNKNOWN_ID: 4,
  /** Every upstream of the route refused, timed out or failed to resolve. */
  UPSTREAM_UNAVAILABLE: 5,
  /** A connection limit or rate. */
  LIMIT_EXCEEDED: 6,
  /** The balancer is draining. */
  SHUTTING_DOWN: 7,
  /** The address is denied. */
  FORBIDDEN: 8,
  /** The ID connected again under `duplicate_id: replace`. */
  REPLACED: 9,
} as const;

/** Name of a reason for refusing a connection. */
export type RefusalName = keyof typeof REFUSAL_CODES;

/** Name of an ERROR code; undefined for a code that this version does not know. */
export function refusalName(code: number): RefusalName | undefined {
  for (const [name, known] of Object.entries(REFUSAL_CODES)) {
    if (known === code) return name as RefusalName;
  }
  return undefined;
}

/** The balancer refuses a connection. `message` is the text of the ERROR frame that its client gets. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** Name of the reason: for logs and metrics. */
  readonly reason: RefusalName;
  /** Sent to the client instead of an ERROR frame, in the protocol that the client speaks. */
  readonly rejection: Uint8Array | undefined;

  constructor(reason: RefusalName, message: string, options?: ErrorOptions & { rejection?: Uint8Array }) {
    super(message, options);
    this.reason = reason;
    this.rejection = options?.rejection;
  }

  /** The number sent in the ERROR frame. */
  get code(): number {
    return REFUSAL_CODES[this.reason];
  }
}

/** A problem in a configuration, as data. */
export interface ProblemDetail {
  readonly file?: string;
  /** 1-based, like `column`. */
  readonly line?: number;
  readonly column?: number;
  /** The field, such as `routes[3].port`. */
  readonly path?: string;
  /** The problem, without file, position and path. */
  readonly message: string;
  /** The value in the file, and the values that are accepted. */
  readonly found?: string;
  readonly wanted?: string;
}

/** The command line or the configuration is wrong: exit status 2, one line on stderr for each problem. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** One line each. */
  readonly problems: readonly string[];
  /** The same problems as data. */
  readonly details: readonly ProblemDetail[];

  constructor(problems: string | readonly (string | ProblemDetail)[], options?: ErrorOptions) {
    const list = typeof problems === "string" ? [problems] : problems;
    const lines = list.map((problem) => typeof problem === "string" ? problem : problemLine(problem));
    super(lines.join("\n"), options);
    this.problems = lines;
    this.details = list.map((problem) => typeof problem === "string" ? { message: problem } : problem);
  }
}

/** `routes.yaml:387:14: routes[385].port: found 70000, expected ...` */
function problemLine({ file = "", line, column, path = "", message }: ProblemDetail): string {
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  return [place, path, message].filter((part) => part !== "").join(": ");
}

/**
 * True for the errors of a socket that the peer or this process has closed. They are normal endings of a connection,
 * not faults of the program.
 */
export function isDisconnect(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.TimedOut ||
    isUnreachable(error) ||
    isOwnClose(error);
}

/** Error codes of the system for an unreachable peer, for which the platform has no class. */
const UNREACHABLE: ReadonlySet<unknown> = new Set(["EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN"]);

function isUnreachable(error: unknown): boolean {
  return error instanceof Error && "code" in error && UNREACHABLE.has(error.code);
}

/** True for the error of a pending operation whose socket was closed by this process. */
export function isOwnClose(error: unknown): boolean {
  return error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource;
}

/** The message of a thrown value of any type. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
