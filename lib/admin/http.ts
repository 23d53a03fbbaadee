/** Helpers for the answers of the admin API. */

/** A request that is refused: `message` is for the person who sent it. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** Further fields of the answer. */
  readonly more: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    more: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.more = more;
    this.headers = headers;
  }
}

/** On every answer: nothing is stored, framed, sniffed or sent on as a referrer. */
const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store, no-transform",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** An answer of a content type. */
export function answer(body: BodyInit | null, type: string, status = 200): Response {
  return new Response(body, { status, headers: { ...HEADERS, "content-type": type } });
}

/** An answer in JSON. */
export function json(value: unknown, status = 200): Response {
  return answer(`${JSON.stringify(value)}\n`, "application/json; charset=utf-8", status);
}

/** A line of text. */
export function text(line: string, status = 200): Response {
  return answer(`${line}\n`, "text/plain; charset=utf-8", status);
}
