/** The listener of the admin API. */

import { getLogger } from "@logtape/logtape";
import type { AdminConfig, HostPort } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";
import { addressText, hostPortText } from "../util/text.ts";
import { EventFeed } from "./events.ts";
import { type AdminHandler, adminHandler } from "./handler.ts";
import type { AdminSource } from "./source.ts";
import { readToken } from "./token.ts";
import { stateView } from "./views.ts";

const log = getLogger("switchyard");

/** Pause before it listens again after a failed accept, in milliseconds. */
const AGAIN_MS = 500;

/** Serves the admin API until it is disposed of. */
export class AdminServer implements AsyncDisposable {
  readonly #source: AdminSource;
  readonly #feed: EventFeed;
  readonly #over = new AbortController();
  #config: AdminConfig;
  #handler: AdminHandler;
  #server: Deno.HttpServer<Deno.NetAddr>;
  /** Aborts the requests of the listener; undefined once they have ended by themselves. */
  #cutOff: AbortController | undefined;
  /** Whether it could not accept, and has answered no request since. */
  #failing = false;

  private constructor(config: AdminConfig, source: AdminSource) {
    this.#config = config;
    this.#source = source;
    this.#feed = new EventFeed(() => stateView(source));
    this.#handler = this.#handlerOf(config);
    this.#server = this.#listen(config.address);
    log.info(`admin API at http://${addressText(this.#server.addr)}/`);
  }

  /** @throws Error that names the address that could not be listened on, or the file of the token */
  static async start(config: AdminConfig, source: AdminSource): Promise<AdminServer> {
    await checkToken(config);
    return new AdminServer(config, source);
  }

  /** Its settings. */
  get config(): AdminConfig {
    return this.#config;
  }

  /** Where it listens, with the port that the system chose for port 0. */
  get address(): Deno.NetAddr {
    return this.#server.addr;
  }

  /** Uses other settings for the same address. @throws Error that names the file of the token */
  async change(config: AdminConfig): Promise<void> {
    await checkToken(config);
    this.#config = config;
    this.#handler = this.#handlerOf(config);
  }

  /** Releases the address, and ends once pending requests are answered: they cannot be aborted. */
  async retire(): Promise<void> {
    this.#end();
    if (this.#cutOff) await this.#server.shutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    if (!this.#cutOff) return;
    this.#cutOff.abort();
    await this.#server.finished.catch(() => {}); // logged by #listenAgain
  }

  #end(): void {
    this.#over.abort();
    this.#feed[Symbol.dispose]();
  }

  #handlerOf({ address, token_file: tokenFile, origins }: AdminConfig): AdminHandler {
    return adminHandler(this.#source, { address, tokenFile, origins, feed: this.#feed });
  }

  #answer(request: Request): Promise<Response> {
    if (this.#failing) log.info("the admin API answers again");
    this.#failing = false;
    return this.#handler(request);
  }

  #listen({ host, port }: HostPort): Deno.HttpServer<Deno.NetAddr> {
    const cutOff = new AbortController();
    const where = { hostname: host, port, signal: cutOff.signal };
    try {
      const server = Deno.serve({ ...where, onListen: () => {} }, (request) => this.#answer(request));
      this.#cutOff = cutOff;
      server.finished.catch((error) => this.#listenAgain(error));
      return server;
    } catch (error) {
      throw new Error(`cannot serve the admin API on ${hostPortText({ host, port })}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** The platform closes a listener that cannot accept, for example for a lack of open files. */
  async #listenAgain(error: unknown): Promise<void> {
    this.#cutOff = undefined;
    if (!this.#failing) {
      log.error`the admin API cannot accept: ${messageOf(error)}; trying again until it works`;
    }
    this.#failing = true;
    const { hostname: host, port } = this.#server.addr;
    while (!this.#cutOff) {
      await sleep(AGAIN_MS, this.#over.signal);
      if (this.#over.signal.aborted) return;
      try {
        this.#server = this.#listen({ host, port });
      } catch {
        // the line above has announced the retries
      }
    }
  }
}

async function checkToken({ token_file: file }: AdminConfig): Promise<void> {
  if (file !== undefined) await readToken(file);
}
