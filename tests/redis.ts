/** Redis servers for tests, if redis-server is installed. */

import { messageOf } from "../lib/errors.ts";
import { Link } from "../lib/route/redis/link.ts";
import { parseConfig } from "../lib/config/parse.ts";
import type { RedisConfig } from "../lib/config/config.ts";
import { pause } from "./wait.ts";

/** Whether redis-server can be run. */
export const hasRedis = await (async () => {
  try {
    return (await new Deno.Command("redis-server", { args: ["--version"], stdout: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
})();

/** Below the ports that the system assigns to clients, so that one stays free while its server restarts. */
const PORTS = { first: 20_000, count: 12_000 };

/** The default key of the hash. */
export const KEY = "switchyard:routes";

const LINK_OPTIONS = { login: undefined, tls: undefined, database: 0, timeout: 5000 };

/** A running redis-server. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #flags: readonly string[];
  readonly #config: string | undefined;
  #child: Deno.ChildProcess;

  private constructor(port: number, folder: string, flags: readonly string[], config?: string) {
    this.port = port;
    this.#folder = folder;
    this.#flags = flags;
    this.#config = config;
    this.#child = this.#spawn();
  }

  /**
   * Starts one on a free port, which keeps its data when it is killed.
   *
   * @param flags Further flags of its command line.
   * @param config Its configuration file, if it needs one that it can write to.
   */
  static async start(flags: readonly string[] = [], config?: string): Promise<RedisServer> {
    for (let tries = 0; tries < 20; tries++) {
      const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
      const folder = await Deno.makeTempDir();
      if (config !== undefined) await Deno.writeTextFile(`${folder}/redis.conf`, config);
      const server = new RedisServer(port, folder, flags, config);
      if (await server.#ready()) return server;
      await server[Symbol.asyncDispose]();
    }
    throw new Error("redis-server does not start");
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The reply to a command, which is sent again if the connection is lost: a promoted replica closes its connections. */
  async command(...args: readonly string[]): Promise<unknown> {
    for (let tries = 0;; tries++) {
      try {
        using link = await Link.open({ host: "127.0.0.1", port: this.port }, LINK_OPTIONS);
        return await link.command(...args);
      } catch (error) {
        if (tries === 3 || !/closed the connection/.test(messageOf(error))) throw error;
      }
    }
  }

  /** Writes routes into a hash. */
  async set(routes: Readonly<Record<string, string>>, key = KEY): Promise<void> {
    await this.command("HSET", key, ...Object.entries(routes).flat());
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** Starts it again on its port, with its data. */
  async restart(): Promise<void> {
    this.#child = this.#spawn();
    if (!await this.#ready()) throw new Error("redis-server does not start again");
  }

  /** Suspends it: it keeps its connections, and does not answer. */
  suspend(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.kill();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended before
    }
    await Deno.remove(this.#folder, { recursive: true });
  }

  #spawn(): Deno.ChildProcess {
    const place = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--dir", this.#folder];
    const data = ["--save", "", "--appendonly", "yes", "--appendfsync", "no"];
    const file = this.#config === undefined ? [] : [`${this.#folder}/redis.conf`];
    const args = [...file, ...place, ...this.#config === undefined ? data : [], ...this.#flags];
    return new Deno.Command("redis-server", { args, stdout: "null", stderr: "null" }).spawn();
  }

  /** False if it has ended because the port is in use. */
  async #ready(): Promise<boolean> {
    let ended = false;
    void this.#child.status.then(() => ended = true);
    for (let tries = 0; tries < 1000 && !ended; tries++) {
      try {
        if (await this.#answers()) return true;
      } catch (error) {
        const isExpected = error instanceof Deno.errors.ConnectionRefused ||
          error instanceof Deno.errors.ConnectionReset;
        if (!isExpected) throw error;
      }
      await pause(10);
    }
    return false;
  }

  /** Whether this server answers. Another one may have the port; then this one ends. */
  async #answers(): Promise<boolean> {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    await conn.write(new TextEncoder().encode("INFO server\r\n"));
    const [buffer, decoder] = [new Uint8Array(4096), new TextDecoder()];
    let answer = "";
    for (let count; (count = await conn.read(buffer)) !== null;) {
      answer += decoder.decode(buffer.subarray(0, count), { stream: true });
      const [, pid] = /^process_id:(\d+)\r$/m.exec(answer) ?? [];
      if (pid !== undefined) return Number(pid) === this.#child.pid;
      if (!answer.startsWith("$")) return false; // it is loading its data, or is not Redis
    }
    return false;
  }
}

/** Time for a look-up on a machine that is busy with other tests. */
const PATIENT = ", timeout: 20s";

/**
 * The settings of `redis` in a configuration, such as `url: "redis://127.0.0.1:6379", timeout: 100ms`. The default
 * timeout is long.
 */
export function redisConfig(fields: string): RedisConfig {
  const { redis } = parseConfig(`routes: []\nredis: { ${patient(fields)} }\n`, "routes.yaml");
  if (!redis) throw new Error("no redis");
  return redis;
}

/** One server for the tests of a file, which `get` returns. */
export function sharedRedis(): { readonly get: () => RedisServer } {
  let server: RedisServer | undefined;
  Deno.test.beforeAll(async () => {
    if (hasRedis) server = await RedisServer.start();
  });
  Deno.test.afterAll(() => server?.[Symbol.asyncDispose]());
  return {
    get: () => {
      if (!server) throw new Error("redis-server is not installed");
      return server;
    },
  };
}

/** A test that needs redis-server. It is ignored if that is not installed. */
export function redisTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !hasRedis, fn });
}

/** `fields` of `redis` with a long timeout, unless they have one. */
export function patient(fields: string): string {
  return fields.includes("timeout:") ? fields : `${fields}${PATIENT}`;
}
