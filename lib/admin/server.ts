/** The listener of the admin API. */

import { getLogger } from "@logtape/logtape";
import type { AdminConfig } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { addressText, hostPortText } from "../util/text.ts";
import { poolsOf } from "./endpoints.ts";
import { EventFeed } from "./events.ts";
import { type AdminHandler, adminHandler } from "./handler.ts";
import type { AdminSource } from "./source.ts";
import { readToken } from "./token.ts";
import { statusView } from "./views.ts";

const log = getLogger("switchyard");

/** Serves the admin API until it is disposed of. */
export class AdminServer implements AsyncDisposable {
  readonly #source: AdminSource;
  readonly #feed: EventFeed;
  readonly #ended = new AbortController();
  #config: AdminConfig;
  #handler: AdminHandler;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(config: AdminConfig, source: AdminSource) {
    this.#config = config;
    this.#source = source;
    this.#feed = new EventFeed(async () => ({ status: await statusView(source), pools: poolsOf(source) }));
    this.#handler = this.#handlerOf(config);
    this.#server = this.#listen(config);
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

  /** Releases the address and ends once the requests under way are answered: there is no way to cut those off. */
  async retire(): Promise<void> {
    this.#feed[Symbol.dispose]();
    await this.#server.shutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed[Symbol.dispose]();
    this.#ended.abort();
    await this.#server.finished;
  }

  #handlerOf({ address, token_file: tokenFile }: AdminConfig): AdminHandler {
    return adminHandler(this.#source, { address, tokenFile, feed: this.#feed });
  }

  #listen({ address }: AdminConfig): Deno.HttpServer<Deno.NetAddr> {
    const where = { hostname: address.host, port: address.port, signal: this.#ended.signal };
    try {
      const server = Deno.serve({ ...where, onListen: () => {} }, (request) => this.#handler(request));
      log.info(`admin API at http://${addressText(server.addr)}/`);
      return server;
    } catch (error) {
      throw new Error(`cannot serve the admin API on ${hostPortText(address)}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

async function checkToken({ token_file: file }: AdminConfig): Promise<void> {
  if (file !== undefined) await readToken(file);
}
