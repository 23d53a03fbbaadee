/** Tracing: a span for each connection, through Deno's own OpenTelemetry (`OTEL_DENO=true`). */

import {
  ProxyTracerProvider,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import type { HostPort } from "../config/config.ts";
import { REFUSAL_CODES } from "../errors.ts";
import type { Closing, ConnectionInfo, DialReason, Observer } from "./observer.ts";
import type { Endpoint } from "../transport/duplex.ts";
import { hostPortText } from "../util/text.ts";

/** Bytes are not events, so the first byte of an upstream is polled for: this is the largest delay of its time. */
const SWEEP_MS = 20;

/** The observer, or undefined if tracing is off: then it costs nothing. */
export function tracing(version: string): Tracing | undefined {
  // Deno registers its own provider if the environment enables it
  if (trace.getTracerProvider() instanceof ProxyTracerProvider) return undefined;
  return new Tracing(trace.getTracer("switchyard", version));
}

/** One span for each connection, with an event for each stage. IDs are left out: traces are kept elsewhere. */
export class Tracing implements Observer {
  readonly #tracer: Pick<Tracer, "startSpan">;
  readonly #spans = new Map<number, Span>();
  /** Connections whose upstream has sent nothing. */
  readonly #unanswered = new Set<ConnectionInfo>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(tracer: Pick<Tracer, "startSpan">) {
    this.#tracer = tracer;
  }

  accepted({ conn, source, listener }: ConnectionInfo): void {
    const attributes = {
      "network.transport": "tcp",
      "switchyard.conn": conn,
      "switchyard.listener": listener,
      ...clientOf(source),
    };
    this.#spans.set(conn, this.#tracer.startSpan("connection", { kind: SpanKind.SERVER, attributes }));
  }

  identified({ conn, transport }: ConnectionInfo): void {
    this.#spans.get(conn)?.addEvent("id", { "switchyard.transport": transport });
  }

  dialing({ conn }: ConnectionInfo, server: HostPort): void {
    this.#spans.get(conn)?.addEvent("dial", { "switchyard.upstream": hostPortText(server) });
  }

  dialFailed({ conn }: ConnectionInfo, server: HostPort, reason: DialReason): void {
    this.#spans.get(conn)?.addEvent("dial failed", { "switchyard.upstream": hostPortText(server), reason });
  }

  connected(connection: ConnectionInfo): void {
    this.#spans.get(connection.conn)?.addEvent("connected");
    this.#unanswered.add(connection);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS);
  }

  closed(connection: ConnectionInfo, { reason, closedBy }: Closing): void {
    if (this.#unanswered.has(connection)) this.#look(connection);
    this.#forget(connection);
    const { conn, source, up, down, attempts, upstream } = connection;
    const span = this.#spans.get(conn);
    if (!span) return;
    this.#spans.delete(conn);
    span.setAttributes({
      // by now a trusted proxy may have named the client
      ...clientOf(source),
      "switchyard.reason": reason,
      "switchyard.closed_by": closedBy,
      "switchyard.bytes_up": up.written,
      "switchyard.bytes_down": down.written,
      "switchyard.attempts": attempts,
      ...(upstream && { "switchyard.upstream": hostPortText(upstream) }),
    });
    if (reason in REFUSAL_CODES || reason === "internal") {
      span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
    }
    span.end();
  }

  /** Notes which upstreams have answered since. */
  #sweep(): void {
    for (const connection of this.#unanswered) this.#look(connection);
  }

  #look(connection: ConnectionInfo): void {
    if (connection.down.read === 0) return;
    this.#spans.get(connection.conn)?.addEvent("first byte");
    this.#forget(connection);
  }

  #forget(connection: ConnectionInfo): void {
    this.#unanswered.delete(connection);
    if (this.#unanswered.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function clientOf({ hostname, port }: Endpoint) {
  return { "client.address": hostname, "client.port": port };
}
