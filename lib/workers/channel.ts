/** Calls between two threads: each side has handlers, and calls those of the other. */

import type { MessagePort } from "node:worker_threads";
import { messageOf } from "../errors.ts";

/** What one side of a channel can be asked to do. Arguments and results survive a structured clone. */
// deno-lint-ignore no-explicit-any -- the parameters of each call are its own
export type Calls<Names extends PropertyKey = string> = Record<Names, (...args: any[]) => unknown>;

/** The result of a call once it has arrived. */
export type ResultOf<C extends Calls<keyof C>, Name extends keyof C> = Awaited<ReturnType<C[Name]>>;

/** The end of a channel that a thread holds. */
export type Port = Pick<MessagePort, "postMessage">;

/** Stands for the number of a call that gets no reply. */
const UNANSWERED = 0;

type Message =
  | { readonly call: string; readonly args: readonly unknown[]; readonly seq: number }
  | { readonly reply: number; readonly result: unknown }
  | { readonly reply: number; readonly problem: string };

/** One end of a channel: `Theirs` are the handlers of the other end. */
export class Channel<Theirs extends Calls<keyof Theirs>> {
  readonly #port: Port;
  readonly #ours: Calls;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;
  #broken: Error | undefined;

  /** @param ours Called by the other end. */
  constructor(port: Port, ours: object) {
    this.#port = port;
    this.#ours = ours as Calls;
  }

  /** @throws Error with the text of what the other end has thrown, or what the channel was broken by */
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

  /** Calls without waiting for the result, which must not be an error. */
  tell<Name extends keyof Theirs & string>(name: Name, ...args: Parameters<Theirs[Name]>): void {
    this.#post({ call: name, args, seq: UNANSWERED });
  }

  /** To be called with each message that the port gets. */
  receive(message: unknown): void {
    const received = message as Message;
    if ("call" in received) return void this.#answer(received.call, received.args, received.seq);
    const pending = this.#pending.get(received.reply);
    this.#pending.delete(received.reply);
    if ("problem" in received) pending?.reject(new Error(received.problem));
    else pending?.resolve(received.result);
  }

  /** The other end is gone: every call that waits, and each further one, is rejected with `error`. */
  break(error: Error): void {
    this.#broken ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  async #answer(name: string, args: readonly unknown[], reply: number): Promise<void> {
    try {
      const handler = this.#ours[name];
      if (!handler) throw new Error(`no handler of ${name}`);
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
