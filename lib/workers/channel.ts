/** Calls between two threads: each side handles the calls of the other. */

import type { MessagePort } from "node:worker_threads";
import { messageOf } from "../errors.ts";

/** The calls that one side of a channel handles. Arguments and results survive a structured clone. */
// deno-lint-ignore no-explicit-any -- the parameters of each call are its own
export type Calls<Names extends PropertyKey = string> = Record<Names, (...args: any[]) => unknown>;

/** The resolved result of a call. */
export type ResultOf<C extends Calls<keyof C>, Name extends keyof C> = Awaited<ReturnType<C[Name]>>;

/** The port of a channel. */
export type Port = Pick<MessagePort, "postMessage">;

/** The number of a call without a reply. */
const UNANSWERED = 0;

type Message =
  | { readonly call: string; readonly args: readonly unknown[]; readonly seq: number }
  | { readonly reply: number; readonly result: unknown }
  | { readonly reply: number; readonly problem: string };

/** One end of a channel. `Theirs` are the calls that the other end handles. */
export class Channel<Theirs extends Calls<keyof Theirs>> {
  readonly #port: Port;
  readonly #ours: Calls;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;
  #broken: Error | undefined;

  /** @param ours Handlers for the calls of the other end. */
  constructor(port: Port, ours: object) {
    this.#port = port;
    this.#ours = ours as Calls;
  }

  /** @throws Error with the message of the other end's error, or the reason for which the channel was broken */
  call<Name extends keyof Theirs & string>(
    name: Name,
    ...args: Parameters<Theirs[Name]>
  ): Promise<ResultOf<Theirs, Name>> {
    if (this.#broken) return Promise.reject(this.#broken);
    const seq = ++this.#last;
    const pending = Promise.withResolvers<unknown>();
    this.#pending.set(seq, pending);
    this.#post({ call: name, args, seq });
    return pending.promise as Promise<ResultOf<Theirs, Name>>;
  }

  /** Calls without waiting for a result. The handler must not throw. */
  tell<Name extends keyof Theirs & string>(name: Name, ...args: Parameters<Theirs[Name]>): void {
    this.#post({ call: name, args, seq: UNANSWERED });
  }

  /** Handles a message from the port. */
  receive(message: unknown): void {
    const received = message as Message;
    if ("call" in received) return void this.#answer(received.call, received.args, received.seq);
    const pending = this.#pending.get(received.reply);
    this.#pending.delete(received.reply);
    if ("problem" in received) pending?.reject(new Error(received.problem));
    else pending?.resolve(received.result);
  }

  /** The other end is gone: rejects all pending and further calls with `error`. */
  break(error: Error): void {
    this.#broken ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  async #answer(name: string, args: readonly unknown[], reply: number): Promise<void> {
    try {
      const handler = this.#ours[name];
      if (!handler) throw new Error(`no handler for ${name}`);
      const result = await handler.apply(this.#ours, [...args]);
      if (reply !== UNANSWERED) this.#post({ reply, result });
    } catch (error) {
      if (reply === UNANSWERED) throw error;
      this.#post({ reply, problem: messageOf(error) });
    }
  }

  #post(message: Message): void {
    if (!this.#broken) this.#port.postMessage(message);
  }
}
