/** Protects the admin API against DNS rebinding, foreign pages and requests without the token. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { HostPort } from "../config/config.ts";
import { isLoopback, parseCidr } from "../config/values.ts";
import { hostPortText, quote } from "../util/text.ts";
import { HttpError } from "./http.ts";
import { readToken } from "./token.ts";

/** The settings that requests are checked against. */
export interface GuardOptions {
  /** The address as configured. */
  readonly address: HostPort;
  /** Without it no token is needed. */
  readonly tokenFile?: string | undefined;
  /** Where a proxy serves the dashboard: requests may come from there. @default nowhere */
  readonly origins?: readonly string[] | undefined;
}

/** Characters that end the host in a URL, or its user name. */
const NOT_OF_A_HOST = /[/\\?#@]/;

/** Checks each request before it is answered. */
export class Guard {
  readonly #host: string;
  readonly #tokenFile: string | undefined;
  readonly #origins: readonly string[];

  constructor({ address, tokenFile, origins = [] }: GuardOptions) {
    this.#host = hostOf(hostPortText(address)) ?? address.host;
    this.#tokenFile = tokenFile;
    this.#origins = origins;
  }

  /** @throws {HttpError} 400, 401 or 403 */
  async check(request: Request): Promise<void> {
    const url = URL.parse(request.url);
    // the platform puts the header in front of the path, which is another one after a slash
    const header = request.headers.get("host");
    if (!url || (header && NOT_OF_A_HOST.test(header))) {
      throw new HttpError(400, "the header Host is not a host and a port");
    }
    this.#checkHost(url.host);
    // different if the request names a whole URL
    if (header) this.#checkHost(header);
    if (request.method === "GET" || request.method === "HEAD") return;
    this.#checkOrigin(request.headers.get("origin"), url);
    await this.#checkToken(request.headers.get("authorization"));
  }

  /** After DNS rebinding the header has the name of the foreign page, so a name must be the configured one. */
  #checkHost(given: string): void {
    const host = hostOf(given);
    if (host !== undefined && (host === this.#host || isLoopback(host))) return;
    // an address in the URL involves no DNS
    if (host !== undefined && isWildcard(this.#host) && parseCidr(host) !== undefined) return;
    if (this.#origins.some((origin) => hostOf(new URL(origin).host) === host)) return;
    throw new HttpError(
      403,
      `Host ${quote(given)} is neither the address of the admin listener nor a loopback one: use the address`,
    );
  }

  #checkOrigin(origin: string | null, url: URL): void {
    if (origin === null || origin === url.origin || this.#origins.includes(origin)) return;
    const allowed = [url.origin, ...this.#origins].join(" or ");
    throw new HttpError(403, `Origin ${quote(origin)} may not make changes: only ${allowed} may`);
  }

  /** The file is read each time, so a new token is valid at once. */
  async #checkToken(header: string | null): Promise<void> {
    if (this.#tokenFile === undefined) return;
    const [, given] = /^bearer +(\S+) *$/i.exec(header ?? "") ?? [];
    if (given === undefined) throw unauthorized("expected the header Authorization: Bearer TOKEN");
    const token = await readToken(this.#tokenFile);
    if (!timingSafeEqual(digest(given), digest(token))) throw unauthorized("the token is wrong");
  }
}

function unauthorized(message: string): HttpError {
  return new HttpError(401, message, {}, { "www-authenticate": "Bearer" });
}

/** The host of `host:port` as URLs have it, in lower case, without brackets and the dot of the root. */
function hostOf(text: string): string | undefined {
  return URL.parse(`http://${text}`)?.hostname.replace(/^\[|\]$|\.$/g, "");
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Has the same length for any `text`, so that the time of a comparison reveals nothing. */
function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
