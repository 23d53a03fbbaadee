/** The access log: one line for each connection, at its end. */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import type { Transport } from "../transport/duplex.ts";
import { addressText, hostPortText } from "../util/text.ts";
import { idFields, type IdPrivacy } from "./id_privacy.ts";
import type { CloseReason, Closing, ConnectionInfo, Observer } from "./observer.ts";

const log = getLogger("switchyard");
const accessLog = getLogger(["switchyard", "access"]);

/** One access line. Field names are those of the log; times are in milliseconds. */
export type AccessRecord = {
  /** RFC 3339, when the connection ended. */
  readonly time: string;
  /** Number of the connection since the start. */
  readonly conn: number;
  readonly client: string;
  readonly listener: string;
  readonly transport: Transport;
  /** Subject of the client's certificate, where it has a valid one. */
  readonly client_subject?: string;
  readonly id: string | null;
  /** The rule that matched. */
  readonly route: string | null;
  readonly upstream: string | null;
  /** From accept to the whole ID frame. */
  readonly id_ms: number | null;
  /** For reaching the upstream. */
  readonly connect_ms: number | null;
  readonly duration_ms: number;
  readonly bytes_up: number;
  readonly bytes_down: number;
  /** Upstreams tried. */
  readonly attempts: number;
  readonly reason: CloseReason;
  readonly closed_by: Closing["closedBy"];
  readonly detail?: string;
};

/** `access`: whether connections get a line. Faults of the balancer always do. */
export type AccessLogSettings = Pick<Config["log"], "access" | "id_privacy">;

/** Probes are logged at debug level, faults of the balancer itself at error level, everything else at info. */
export class AccessLog implements Observer {
  #settings: AccessLogSettings;

  constructor(settings: AccessLogSettings) {
    this.#settings = settings;
  }

  /** Uses other settings from now on. */
  configure(settings: AccessLogSettings): void {
    this.#settings = settings;
  }

  closed(connection: ConnectionInfo, why: Closing): void {
    const { access, id_privacy: privacy } = this.#settings;
    const record = () => accessRecord(connection, why, privacy);
    if (why.reason === "internal") log.error("connection failed", record());
    else if (why.reason === "probe") {
      if (accessLog.isEnabledFor("debug")) accessLog.debug("probe", record());
    } else if (access && accessLog.isEnabledFor("info")) accessLog.info("access", record());
  }
}

/**
 * The access line of a connection that has ended just now.
 *
 * @param privacy How the ID is shown. @default "plain"
 */
export function accessRecord(
  connection: ConnectionInfo,
  { reason, closedBy, detail: fullDetail }: Closing,
  privacy: IdPrivacy = "plain",
): AccessRecord {
  const { acceptedAt, identifiedAt, dialedAt, connectedAt, upstream, clientSubject } = connection;
  const { id, route, detail } = idFields(connection, fullDetail, privacy);
  return {
    time: new Date().toISOString(),
    conn: connection.conn,
    client: addressText(connection.source),
    listener: connection.listener,
    transport: connection.transport,
    ...(clientSubject === undefined ? {} : { client_subject: clientSubject }),
    id: id ?? null,
    route: route ?? null,
    upstream: upstream ? hostPortText(upstream) : null,
    id_ms: between(acceptedAt, identifiedAt),
    connect_ms: between(dialedAt, connectedAt),
    duration_ms: between(acceptedAt, performance.now()) ?? 0,
    bytes_up: connection.up.written,
    bytes_down: connection.down.written,
    attempts: connection.attempts,
    reason,
    closed_by: closedBy,
    ...(detail === undefined ? {} : { detail }),
  };
}

/** Rounded to a microsecond. */
function between(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.round((to - from) * 1000) / 1000;
}
