/** The thread that checks configurations, as the thread that asks it sees it. */

import { messageOf, type ProblemDetail, UsageError } from "../errors.ts";
import type { TableData, TableText } from "../tables/data.ts";
import type { Config, RouteConfig } from "./config.ts";
import type { Source } from "./tables.ts";

/**
 * Sent to the worker for each configuration: first its file to check, then its tables, then requests for its routes,
 * batch by batch, and at the end that it may forget all of it.
 */
export type WorkerRequest =
  | Source
  | { readonly text: TableText; readonly previous: TableData | undefined }
  | { readonly next: true }
  | { readonly release: true };

/** Its replies. All routes in one message would block the thread that receives them. A release has none. */
export type WorkerReply =
  | { readonly problems: readonly ProblemDetail[] }
  | { readonly failure: string }
  | { readonly config: Omit<Config, "routes"> }
  | { readonly tableData: TableData }
  | { readonly routes: readonly ReceivedRoute[]; readonly more: boolean };

/** A route that is not shared yet, so that its host may be replaced. */
type ReceivedRoute = RouteConfig & { host?: string };

type ReplyField = "config" | "tableData" | "routes";
type ReplyWith<F extends ReplyField> = Extract<WorkerReply, { readonly [Field in F]: unknown }>;

/** A worker that checks configurations, one at a time. */
export class CheckWorker implements Disposable {
  readonly #worker = new Worker(new URL("./load_worker.ts", import.meta.url).href, { type: "module" });
  #pending: PromiseWithResolvers<WorkerReply> | undefined;
  #failure: Error | undefined;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => this.#pending?.resolve(data);
    this.#worker.onerror = (event) => {
      // otherwise it would end the process
      event.preventDefault();
      this.#pending?.reject(this.#broken(messageOf(event.message)));
    };
  }

  /** Whether it has failed, and answers no more. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * The reply to a request, which has the field `wanted`.
   *
   * @throws {UsageError} with the problems that the worker has found
   */
  async ask<F extends ReplyField>(request: WorkerRequest, wanted: F): Promise<ReplyWith<F>> {
    if (this.#failure) throw this.#failure;
    this.#pending = Promise.withResolvers();
    this.#send(request);
    const reply = await this.#pending.promise;
    if ("problems" in reply) throw new UsageError(reply.problems);
    if ("failure" in reply) throw this.#broken(reply.failure);
    if (!(wanted in reply)) throw new Error(`the check of the configuration replied without ${wanted}`);
    return reply as ReplyWith<F>;
  }

  /** Has it give the memory of the last configuration back. */
  release(): void {
    this.#send({ release: true });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
    this.#failure ??= new Error("the check of the configuration was cancelled");
    this.#pending?.reject(this.#failure);
  }

  #broken(problem: string): Error {
    return this.#failure = new Error(`the configuration could not be checked: ${problem}`);
  }

  #send(request: WorkerRequest): void {
    this.#worker.postMessage(request);
  }
}
