/** Who may ask: protection against DNS rebinding, foreign pages and callers without the token. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { HostPort } from "../config/config.ts";
import { isLoopback, parseCidr } from "../config/values.ts";
import { quote } from "../util/text.ts";
import { HttpError } from "./http.ts";
import { readToken } from "./token.ts";

/** What requests are checked against. */
export interface GuardOptions {
  /** The address as configured. */
  readonly address: HostPort;
  /** Without it no token is wanted. */
  readonly tokenFile?: string | undefined;
}

/** Checks each request before it is answered. */
export class Guard {
  readonly #host: string;
  readonly #tokenFile: string | undefined;

  constructor({ address, tokenFile }: GuardOptions) {
    this.#host = address.host.toLowerCase();
    this.#tokenFile = tokenFile;
  }

  /** @throws {HttpError} 403 or 401 */
  async check(request: Request): Promise<void> {
    const url = new URL(request.url);
    this.#checkHost(url);
    if (request.method === "GET" || request.method === "HEAD") return;
    checkOrigin(request.headers.get("origin"), url);
    await this.#checkToken(request.headers.get("authorization"));
  }

  /** A page whose name was pointed at this machine sends that name, so a name must be the configured one. */
  #checkHost({ hostname }: URL): void {
    const host = hostname.replace(/^\[|\]$/g, "");
    if (host === this.#host || isLoopback(host)) return;
    // no name can be pointed at an address that stands in the URL itself
    if (isWildcard(this.#host) && parseCidr(host) !== undefined) return;
    throw new HttpError(
      403,
      `Host ${
        quote(host)
      } is neither the address of the admin listener nor a loopback one: ask for it by address`,
    );
  }

  /** The file is read each time, so a token that was replaced counts at once. */
  async #checkToken(header: string | null): Promise<void> {
    if (this.#tokenFile === undefined) return;
    const [, given] = /^bearer +(\S+) *$/i.exec(header ?? "") ?? [];
    if (given === undefined) throw new HttpError(401, "expected the header Authorization: Bearer TOKEN");
    const token = await readToken(this.#tokenFile);
    if (!timingSafeEqual(digest(given), digest(token))) throw new HttpError(401, "the token is wrong");
  }
}

function checkOrigin(origin: string | null, url: URL): void {
  if (origin === null || origin === url.origin) return;
  throw new HttpError(403, `Origin ${quote(origin)} may not change anything here: only ${url.origin} may`);
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Has the same length for any `text`, so that the time of a comparison reveals nothing. */
function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
