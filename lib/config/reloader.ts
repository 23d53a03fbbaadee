/** Reloading the configuration: on request, one at a time. */

import { getLogger } from "@logtape/logtape";
import { messageOf, UsageError } from "../errors.ts";
import type { ReloadResult } from "./reload_result.ts";
import { counted } from "../util/text.ts";

const log = getLogger("switchyard");

/** The result of a reload. */
export type ReloadOutcome =
  | { readonly ok: true; readonly change: ReloadResult }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Runs one reload at a time. Any number of requests during a reload cause one more after it, so the last version wins. */
export class Reloader {
  readonly #file: string;
  readonly #reload: () => Promise<ReloadResult>;
  #running: Promise<ReloadOutcome> | undefined;
  #next: Promise<ReloadOutcome> | undefined;

  /** @param reload Loads and applies the configuration; if it rejects, nothing has changed. */
  constructor(file: string, reload: () => Promise<ReloadResult>) {
    this.#file = file;
    this.#reload = reload;
  }

  /** Reloads now, or after the current reload. Never rejects. */
  request(): Promise<ReloadOutcome> {
    if (!this.#running) return this.#start();
    return this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.request();
    });
  }

  #start(): Promise<ReloadOutcome> {
    const running = this.#running = this.#run();
    void running.then(() => this.#running = undefined);
    return running;
  }

  async #run(): Promise<ReloadOutcome> {
    try {
      const change = await this.#reload();
      const { added, changed, removed, connections } = change;
      log
        .info`reloaded ${this.#file}: ${
        counted(added, "route")
      } added, ${changed} changed, ${removed} removed; ${counted(connections, "connection")} affected`;
      return { ok: true, change };
    } catch (error) {
      const problems = error instanceof UsageError ? error.problems : [messageOf(error)];
      log.error`reload failed, keeping the previous configuration: ${this.#inShort(problems)}`;
      return { ok: false, problems };
    }
  }

  #inShort([first = "", ...others]: readonly string[]): string {
    if (others.length === 0) return first;
    return `${first}; and ${others.length} more, which switchyard check -c ${this.#file} lists`;
  }
}
