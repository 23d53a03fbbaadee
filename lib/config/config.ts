/** What a checked configuration holds. Times are in milliseconds, sizes in bytes, defaults filled in. */

/** A TCP address. IPv6 addresses stand without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** How TLS is spoken to an upstream. */
export interface UpstreamTls {
  /** File with certificates to trust, in PEM, besides those that Deno trusts. */
  readonly ca?: string;
  /** The name that the certificate must have; without it the upstream's host. */
  readonly server_name?: string;
}

/** A server to dial. */
export interface Upstream extends HostPort {
  /** True, or how, where TLS is spoken to it. */
  readonly tls?: UpstreamTls | boolean;
}

/** One server of a pool. */
export interface PoolServer extends Upstream {
  /** Share of the pool's connections, relative to the other weights; 0 drains the server. */
  readonly weight: number;
  /** Gets connections only while every other server is down, full or failing. */
  readonly backup: boolean;
}

/** How the servers of a pool are checked. Times are in milliseconds. */
export interface HealthCheck {
  readonly interval: number;
  /** For connecting and, where something is expected, its arrival. */
  readonly timeout: number;
  /** Failed checks in a row that take a server down. */
  readonly fall: number;
  /** Passed checks in a row that bring it back. */
  readonly rise: number;
  /** Text that is sent once connected. */
  readonly send?: string;
  /** ID of an ID frame that is sent instead. */
  readonly id?: string;
  /** Text that the server must answer with. */
  readonly expect?: string;
}

/** Several servers for the same IDs. */
export interface PoolConfig {
  readonly strategy: "hash" | "round_robin" | "least_connections" | "random";
  readonly servers: readonly PoolServer[];
  /** Without it servers are not checked. */
  readonly health_check?: HealthCheck;
  /** Failed dials within `fail_duration` that eject a server; 0 for never. */
  readonly max_fails: number;
  readonly fail_duration: number;
  /** How long a server that came back takes to get its whole share; 0 for at once. */
  readonly slow_start: number;
  /** Most connections at once to each server; 0 for no limit. */
  readonly max_connections: number;
}

/** How clients are held while their upstream cannot be reached. */
export interface HoldConfig {
  /** Longest time in milliseconds. */
  readonly for: number;
  /** Most clients of the route that are held at once. */
  readonly clients: number;
  /** Called when the first client is held. */
  readonly wake?: string;
}

/** Which WebSockets a listener takes. */
export interface WebSocketConfig {
  /** The only path that is served; without it any is. */
  readonly path?: string;
  /** The origins that a browser's page may have, in lower case; without the list any. */
  readonly origins?: readonly string[];
}

/** The files, in PEM, of a certificate with those above it, and of its private key. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
}

/** Where Switchyard accepts connections. */
export interface ListenerConfig {
  readonly address: HostPort;
  /** Without it plain TCP is spoken. */
  readonly tls?: TlsConfig;
  /** False where raw frames alone are taken; without it every WebSocket is. */
  readonly websocket?: WebSocketConfig | false;
  /** Proxies (CIDR) that must say, and that alone may say, for whom they connect. */
  readonly proxy_protocol?: { readonly trusted: readonly string[] };
}

/** What becomes of the connections of a route that a reload removes. */
export type OnRemoval = "keep" | "drain" | "close";

/** A rule that finds an upstream: by one exact ID, or by a glob over IDs. */
export type RouteConfig =
  & Upstream
  & { readonly on_removal?: OnRemoval }
  & (
    | { readonly id: string; readonly match?: undefined }
    | { readonly match: string; readonly id?: undefined }
  );

/** Severity below which nothing is logged. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** The whole configuration. */
export interface Config {
  readonly listeners: readonly ListenerConfig[];
  /** In file order. */
  readonly routes: readonly RouteConfig[];
  /** What an unknown ID gets. */
  readonly default?: Upstream;
  /** Whether the ID frame is sent on to the upstream. */
  readonly forward_id: boolean;
  /** The version of the PROXY header that upstreams get ahead of all else, or false for none. */
  readonly proxy_protocol: "v1" | "v2" | false;
  /** How long an answer of the resolver is used before it is refreshed; 0 for no time. */
  readonly dns_ttl: number;
  readonly timeouts: {
    /** From accept to a whole ID frame. */
    readonly id: number;
    /** For reaching an upstream: name resolution, connecting and the TLS handshake together. */
    readonly connect: number;
    /** Longest time without a byte either way; 0 for no limit. */
    readonly idle: number;
    /** The same once one side has finished sending. */
    readonly half_close: number;
    /** How long connections may go on once the balancer has been asked to end, or their route has gone. */
    readonly drain: number;
    /** The last part of `drain`, over which the connections that are left are closed one by one. */
    readonly drain_spread: number;
  };
  readonly limits: {
    /** Longest ID in bytes of UTF-8. */
    readonly id_bytes: number;
    /** Connections at once; of these at most half may have said no ID yet. For this and the following 0 is no limit. */
    readonly connections: number;
    /** Connections at once from one address of IPv4, or 64 bits of IPv6. */
    readonly connections_per_ip: number;
    /** Connections at once of one ID. */
    readonly connections_per_id: number;
    /** New connections in a second from one address of IPv4, or 64 bits of IPv6. */
    readonly connection_rate_per_ip: number;
  };
  /** What happens where an ID that is connected connects again. */
  readonly duplicate_id: "allow" | "reject" | "replace";
  /** Networks (CIDR) that may connect; without it all but those in `deny`. */
  readonly allow?: readonly string[];
  /** Networks that may not connect, whatever `allow` says. */
  readonly deny: readonly string[];
  readonly log: {
    readonly level: LogLevel;
    readonly format: "text" | "json";
    /** Whether each connection gets a line at its end. */
    readonly access: boolean;
  };
}
