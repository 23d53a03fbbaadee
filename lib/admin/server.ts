/** The listener of the admin API. */

import { getLogger } from "@logtape/logtape";
import type { AdminConfig } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { addressText, hostPortText } from "../util/text.ts";
import { poolsOf } from "./endpoints.ts";
import { EventFeed } from "./events.ts";
import { adminHandler } from "./handler.ts";
import type { AdminSource } from "./source.ts";
import { readToken } from "./token.ts";
import { statusView } from "./views.ts";

const log = getLogger("switchyard");

/** Serves the admin API until it is disposed of. */
export class AdminServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #feed: EventFeed;
  readonly #ended: AbortController;

  private constructor(server: Deno.HttpServer<Deno.NetAddr>, feed: EventFeed, ended: AbortController) {
    this.#server = server;
    this.#feed = feed;
    this.#ended = ended;
  }

  /** @throws Error that names the address that could not be listened on, or the file of the token */
  static async start(
    { address, token_file: tokenFile }: AdminConfig,
    source: AdminSource,
  ): Promise<AdminServer> {
    if (tokenFile !== undefined) await readToken(tokenFile);
    const feed = new EventFeed(async () => ({ status: await statusView(source), pools: poolsOf(source) }));
    const handler = adminHandler(source, { address, tokenFile, feed });
    const ended = new AbortController();
    try {
      const where = { hostname: address.host, port: address.port };
      const server = Deno.serve({ ...where, signal: ended.signal, onListen: () => {} }, handler);
      log.info(`admin API at http://${addressText(server.addr)}/`);
      return new AdminServer(server, feed, ended);
    } catch (error) {
      throw new Error(`cannot serve the admin API on ${hostPortText(address)}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Where it listens, with the port that the system chose for port 0. */
  get address(): Deno.NetAddr {
    return this.#server.addr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed[Symbol.dispose]();
    this.#ended.abort();
    await this.#server.finished;
  }
}
