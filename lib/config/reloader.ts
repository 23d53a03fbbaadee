/** Reloading the configuration: on request, one at a time. */

import { getLogger } from "@logtape/logtape";
import { messageOf, UsageError } from "../errors.ts";
import type { ReloadResult } from "../observe/observer.ts";

const log = getLogger("switchyard");

/** What came of a reload. */
export type Outcome =
  | { readonly ok: true; readonly change: ReloadResult }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Never two at once: however many requests come while one runs, one more follows, so the last version wins. */
export class Reloader {
  readonly #file: string;
  readonly #reload: () => Promise<ReloadResult>;
  #running: Promise<Outcome> | undefined;
  #next: Promise<Outcome> | undefined;

  /** @param reload Loads what is there and puts it in force; where it rejects, nothing has changed. */
  constructor(file: string, reload: () => Promise<ReloadResult>) {
    this.#file = file;
    this.#reload = reload;
  }

  /** What comes of a reload that begins now or later. Never rejects. */
  request(): Promise<Outcome> {
    if (!this.#running) return this.#start();
    return this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.request();
    });
  }

  #start(): Promise<Outcome> {
    const running = this.#running = this.#run();
    void running.then(() => this.#running = undefined);
    return running;
  }

  async #run(): Promise<Outcome> {
    try {
      const change = await this.#reload();
      const { added, changed, removed, connections } = change;
      log
        .info`reloaded ${this.#file}: ${added} routes added, ${changed} changed, ${removed} removed; ${connections} connections affected`;
      return { ok: true, change };
    } catch (error) {
      const problems = error instanceof UsageError ? error.problems : [messageOf(error)];
      log.error`reload failed, what was in force stays: ${this.#inShort(problems)}`;
      return { ok: false, problems };
    }
  }

  #inShort([first = "", ...others]: readonly string[]): string {
    if (others.length === 0) return first;
    return `${first}; and ${others.length} more, which switchyard check -c ${this.#file} lists`;
  }
}
