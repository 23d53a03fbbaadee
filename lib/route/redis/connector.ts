/** Connects to the server that has the hash. */

import type { HostPort, RedisConfig } from "../../config/config.ts";
import { UpstreamContexts } from "../../transport/tls/client.ts";
import { readText } from "../../util/read_file.ts";
import { hostPortText } from "../../util/text.ts";
import { Link, type LinkOptions, type Login, RedisError } from "./link.ts";
import { type HashLocator, locatorOf } from "./locator.ts";

/** Fields per reply when the whole hash is listed: about 50 KB. */
const SCAN_COUNT = "1000";

/** Connects to the server that has the hash, and checks that it still has it. */
export class Connector {
  /** Finds the hash. */
  readonly locator: HashLocator;
  readonly #config: RedisConfig;

  constructor(config: RedisConfig) {
    this.#config = config;
    this.locator = locatorOf(config, (at) => this.#ask(at));
  }

  /**
   * Opens a connection to the server that has the hash, and checks that the hash can be read.
   *
   * @param onInvalidated Called when the hash has changed since it was read.
   * @throws {RedisError | ReadError}
   */
  async connect(onInvalidated?: () => void): Promise<Link> {
    const { database, key } = this.#config;
    const options = { ...await this.#options(this.#config), database };
    const link = await Link.open(await this.locator.find(), {
      ...options,
      ...onInvalidated && { onInvalidated },
    });
    const probe = async () => {
      await this.locator.check(link);
      // this fails if the server is still loading, the key has another type or has moved, or a permission is missing
      await readFields(link, key, [""]);
    };
    try {
      await probe();
      link.keepChecking(probe);
      return link;
    } catch (error) {
      link[Symbol.dispose]();
      throw error;
    }
  }

  /** Connects to a server that knows where the hash is. */
  async #ask(at: HostPort): Promise<Link> {
    const { sentinel } = this.#config;
    return await Link.open(at, { ...await this.#options(sentinel ?? this.#config), database: 0 });
  }

  /** The files are read for each connection, so replaced ones are used without a reload. */
  async #options(login: LoginConfig): Promise<Pick<LinkOptions, "login" | "tls" | "timeout">> {
    return { login: await readLogin(login), tls: this.#tls(), timeout: this.#config.timeout };
  }

  #tls(): Readonly<Record<string, unknown>> | undefined {
    const { tls, url } = this.#config;
    if (!tls && !url?.tls) return undefined;
    const settings = typeof tls === "object" ? tls : {};
    const secureContext = new UpstreamContexts([{ tls: settings }]).of(settings);
    return { secureContext, ...settings.server_name !== undefined && { servername: settings.server_name } };
  }
}

type LoginConfig = Pick<RedisConfig, "username" | "password_file">;

async function readLogin({ username, password_file }: LoginConfig): Promise<Login | undefined> {
  if (password_file === undefined) return undefined;
  return { username, password: (await readText(password_file)).trim() };
}

/** The values of fields of a hash, in order; null for a field that does not exist. @throws {RedisError} */
export async function readFields(
  link: Link,
  key: string,
  fields: readonly string[],
): Promise<readonly (string | null)[]> {
  const values = await link.command("HMGET", key, ...fields);
  if (Array.isArray(values) && values.length === fields.length) return values;
  throw unexpected(link, `HMGET of ${fields.length} fields did not return as many values`);
}

/** Every field and value of a hash, in batches. A field may come twice if the hash changes meanwhile. */
export async function* scanFields(
  link: Link,
  key: string,
): AsyncGenerator<readonly (readonly [field: string, value: string])[]> {
  let cursor = "0";
  do {
    const reply = await link.command("HSCAN", key, cursor, "COUNT", SCAN_COUNT);
    const [next, flat] = Array.isArray(reply) ? reply : [];
    if (!Array.isArray(flat)) throw unexpected(link, "HSCAN did not return a cursor and a list");
    yield Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]]);
    cursor = String(next);
  } while (cursor !== "0");
}

function unexpected({ at }: Link, what: string): RedisError {
  return new RedisError(
    `${hostPortText(at)}: not a Redis server: check host and port (${what})`,
  );
}
