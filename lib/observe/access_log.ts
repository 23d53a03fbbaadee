/** The access log: one line per connection, at its end. */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { accessRecord, addAccessJson, addAccessText } from "./access_line.ts";
import { Log } from "./log.ts";
import type { Closing, ConnectionInfo, Observer } from "./observer.ts";

const log = getLogger("switchyard");

/** `access`: whether connections get a line. Faults of the balancer always do. */
export type AccessLogSettings = Pick<Config["log"], "access" | "id_privacy">;

/** Probes are logged at debug level, faults of the balancer itself at error level, everything else at info. */
export class AccessLog implements Observer {
  #settings: AccessLogSettings;

  constructor(settings: AccessLogSettings) {
    this.#settings = settings;
  }

  /** Changes the settings. */
  configure(settings: AccessLogSettings): void {
    this.#settings = settings;
  }

  closed(connection: ConnectionInfo, why: Closing): void {
    const { access, id_privacy: privacy } = this.#settings;
    if (why.reason === "internal") log.error("connection failed", accessRecord(connection, why, privacy));
    else if (why.reason === "probe") {
      if (log.isEnabledFor("debug")) log.debug("probe", accessRecord(connection, why, privacy));
    } else if (access) {
      this.#add(connection, why, Log.current);
    }
  }

  /** Without a `Log`, the record goes to LogTape's sinks. */
  #add(connection: ConnectionInfo, why: Closing, lines: Log | undefined): void {
    if (!(lines ?? log).isEnabledFor("info")) return;
    const record = accessRecord(connection, why, this.#settings.id_privacy);
    if (!lines) log.info("access", record);
    else {
      const add = lines.format === "json" ? addAccessJson : addAccessText;
      lines.addWith((text) => add(text, record));
    }
  }
}
