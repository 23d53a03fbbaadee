/**
 * Formats the access log's line of a connection. Every connection has one, so it is formatted by hand: in the same form
 * as `log_line.ts`, at a fraction of the cost.
 */

import type { Transport } from "../transport/duplex.ts";
import { addressText, hostPortText } from "../util/text.ts";
import { idFields, type IdPrivacy } from "./id_privacy.ts";
import { jsonString, textValue, timestamp } from "./log_line.ts";
import type { CloseReason, Closing, ConnectionInfo } from "./observer.ts";

/** The fields of an access line, in order. Times are in milliseconds. */
export type AccessRecord = {
  /** RFC 3339, when the connection ended. */
  readonly time: string;
  /** Number of the connection since the start. */
  readonly conn: number;
  readonly client: string;
  readonly listener: string;
  readonly transport: Transport;
  /** Subject of the client's certificate, if it has a valid one. */
  readonly client_subject: string | undefined;
  readonly id: string | null;
  /** The rule that matched. */
  readonly route: string | null;
  readonly upstream: string | null;
  /** From accept to the whole ID frame. */
  readonly id_ms: number | null;
  /** Time to reach the upstream. */
  readonly connect_ms: number | null;
  readonly duration_ms: number;
  readonly bytes_up: number;
  readonly bytes_down: number;
  /** Number of upstreams tried. */
  readonly attempts: number;
  readonly reason: CloseReason;
  readonly closed_by: Closing["closedBy"];
  readonly detail: string | undefined;
};

/**
 * The access record of a connection that has just ended.
 *
 * @param privacy How the ID is shown. @default "plain"
 */
export function accessRecord(
  connection: ConnectionInfo,
  why: Closing,
  privacy: IdPrivacy = "plain",
): AccessRecord {
  const { acceptedAt, identifiedAt, dialedAt, connectedAt, upstream } = connection;
  const { id, route, detail } = idFields(connection, why.detail, privacy);
  return {
    time: timestamp(Date.now()),
    conn: connection.conn,
    client: addressText(connection.source),
    listener: connection.listener,
    transport: connection.transport,
    client_subject: connection.clientSubject,
    id: id ?? null,
    route: route ?? null,
    upstream: upstream ? hostPortText(upstream) : null,
    id_ms: between(acceptedAt, identifiedAt),
    connect_ms: between(dialedAt, connectedAt),
    duration_ms: between(acceptedAt, performance.now()) ?? 0,
    bytes_up: connection.up.written,
    bytes_down: connection.down.written,
    attempts: connection.attempts,
    reason: why.reason,
    closed_by: why.closedBy,
    detail,
  };
}

/** The line as text, as `textLine` formats an info record "access" with these properties. */
export function accessText(record: AccessRecord): string {
  const { client_subject: subject, id, route, upstream, id_ms, connect_ms, detail } = record;
  let line = `${record.time} INFO    access conn=${record.conn} client=${textValue(record.client)}` +
    ` listener=${textValue(record.listener)} transport=${record.transport}`;
  if (subject !== undefined) line += ` client_subject=${textValue(subject)}`;
  if (id !== null) line += ` id=${textValue(id)}`;
  if (route !== null) line += ` route=${textValue(route)}`;
  if (upstream !== null) line += ` upstream=${textValue(upstream)}`;
  if (id_ms !== null) line += ` id_ms=${id_ms}`;
  if (connect_ms !== null) line += ` connect_ms=${connect_ms}`;
  line += ` duration_ms=${record.duration_ms} bytes_up=${record.bytes_up} bytes_down=${record.bytes_down}` +
    ` attempts=${record.attempts} reason=${record.reason} closed_by=${record.closed_by}`;
  return detail === undefined ? `${line}\n` : `${line} detail=${textValue(detail)}\n`;
}

/** The line as JSON, as `jsonLine` formats an info record "access" with these properties. */
export function accessJson(record: AccessRecord): string {
  const { client_subject: subject, detail } = record;
  let line = `{"time":"${record.time}","level":"info","message":"access","conn":${record.conn}` +
    `,"client":${jsonString(record.client)},"listener":${jsonString(record.listener)}` +
    `,"transport":"${record.transport}"`;
  if (subject !== undefined) line += `,"client_subject":${jsonString(subject)}`;
  line += `,"id":${jsonOrNull(record.id)},"route":${jsonOrNull(record.route)}` +
    `,"upstream":${jsonOrNull(record.upstream)},"id_ms":${record.id_ms},"connect_ms":${record.connect_ms}` +
    `,"duration_ms":${record.duration_ms},"bytes_up":${record.bytes_up},"bytes_down":${record.bytes_down}` +
    `,"attempts":${record.attempts},"reason":"${record.reason}","closed_by":"${record.closed_by}"`;
  return detail === undefined ? `${line}}\n` : `${line},"detail":${jsonString(detail)}}\n`;
}

function jsonOrNull(text: string | null): string {
  return text === null ? "null" : jsonString(text);
}

/** Rounded to a microsecond. */
function between(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.round((to - from) * 1000) / 1000;
}
