import type { ConnectionInfo } from "../../lib/observe/observer.ts";

/** A connection that has ended since its ID has no route, as observers see it. */
export function connectionWith(changes: Partial<ConnectionInfo> = {}): ConnectionInfo {
  return {
    conn: 1,
    source: { hostname: "192.0.2.7", port: 50_000 },
    listener: ":8888",
    transport: "tcp",
    clientSubject: undefined,
    id: "1",
    route: undefined,
    upstream: undefined,
    attempts: 0,
    up: { read: 0, written: 0, finished: true },
    down: { read: 0, written: 0, finished: true },
    acceptedAt: 0,
    identifiedAt: 1,
    dialedAt: undefined,
    connectedAt: undefined,
    ...changes,
  };
}
