/**
 * Formats the access log's line of a connection. Every connection has one, so it is formatted by hand: in the same form
 * as `log_line.ts`, at a fraction of the cost.
 */

import type { Transport } from "../transport/duplex.ts";
import { addressText, hostPortText } from "../util/text.ts";
import { idFields, type IdPrivacy } from "./id_privacy.ts";
import { jsonString, textValue, timestamp } from "./log_line.ts";
import type { CloseReason, Closing, ConnectionInfo } from "./observer.ts";
import type { TextBuffer } from "./text_buffer.ts";

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

/** Adds the line as text, as `textLine` formats an info record "access" with these properties. */
export function addAccessText(to: TextBuffer, record: AccessRecord): void {
  const { client_subject: subject, id, route, upstream, id_ms, connect_ms, detail } = record;
  to.add(record.time).add(" INFO    access conn=").addInteger(record.conn);
  to.add(" client=").add(textValue(record.client)).add(" listener=").add(textValue(record.listener));
  to.add(" transport=").add(record.transport);
  if (subject !== undefined) to.add(" client_subject=").add(textValue(subject));
  if (id !== null) to.add(" id=").add(textValue(id));
  if (route !== null) to.add(" route=").add(textValue(route));
  if (upstream !== null) to.add(" upstream=").add(textValue(upstream));
  if (id_ms !== null) to.add(" id_ms=").addThousandths(id_ms);
  if (connect_ms !== null) to.add(" connect_ms=").addThousandths(connect_ms);
  to.add(" duration_ms=").addThousandths(record.duration_ms);
  to.add(" bytes_up=").addInteger(record.bytes_up).add(" bytes_down=").addInteger(record.bytes_down);
  to.add(" attempts=").addInteger(record.attempts);
  to.add(" reason=").add(record.reason).add(" closed_by=").add(record.closed_by);
  if (detail !== undefined) to.add(" detail=").add(textValue(detail));
  to.add("\n");
}

/** Adds the line as JSON, as `jsonLine` formats an info record "access" with these properties. */
export function addAccessJson(to: TextBuffer, record: AccessRecord): void {
  const { client_subject: subject, id_ms, connect_ms, detail } = record;
  to.add('{"time":"').add(record.time).add('","level":"info","message":"access","conn":').addInteger(
    record.conn,
  );
  to.add(',"client":').add(jsonString(record.client)).add(',"listener":').add(jsonString(record.listener));
  to.add(',"transport":"').add(record.transport).add('"');
  if (subject !== undefined) to.add(',"client_subject":').add(jsonString(subject));
  to.add(',"id":').add(jsonOrNull(record.id)).add(',"route":').add(jsonOrNull(record.route));
  to.add(',"upstream":').add(jsonOrNull(record.upstream));
  addOrNull(to.add(',"id_ms":'), id_ms);
  addOrNull(to.add(',"connect_ms":'), connect_ms);
  to.add(',"duration_ms":').addThousandths(record.duration_ms);
  to.add(',"bytes_up":').addInteger(record.bytes_up).add(',"bytes_down":').addInteger(record.bytes_down);
  to.add(',"attempts":').addInteger(record.attempts);
  to.add(',"reason":"').add(record.reason).add('","closed_by":"').add(record.closed_by).add('"');
  if (detail !== undefined) to.add(',"detail":').add(jsonString(detail));
  to.add("}\n");
}

function addOrNull(to: TextBuffer, milliseconds: number | null): void {
  if (milliseconds === null) to.add("null");
  else to.addThousandths(milliseconds);
}

function jsonOrNull(text: string | null): string {
  return text === null ? "null" : jsonString(text);
}

/** Rounded to a microsecond. */
function between(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.round((to - from) * 1000) / 1000;
}
