/**
 * The types of a checked configuration, inferred from its schema: times are in milliseconds, sizes in bytes, defaults
 * filled in. What each field means is described in `schema/`.
 */

import type * as v from "valibot";
import type { fileSchema } from "./schema/file.ts";

/** A TCP address. IPv6 addresses have no brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

type DeepReadonly<T> = T extends object ? { readonly [Field in keyof T]: DeepReadonly<T[Field]> } : T;

type File = DeepReadonly<v.InferOutput<typeof fileSchema>>;

/** One of the entries of a list. */
type Entry<T extends readonly unknown[]> = T[number];

/** Where Switchyard accepts connections. */
export type ListenerConfig = Entry<File["listeners"]>;

/** How a listener uses TLS: the files, in PEM, of its certificates and private keys. */
export type TlsConfig = NonNullable<ListenerConfig["tls"]>;

/** The files, in PEM, of one certificate and its private key. */
export type KeyPairFiles = Pick<TlsConfig, "cert" | "key">;

/** Which WebSockets a listener accepts. */
export type WebSocketConfig = Exclude<NonNullable<ListenerConfig["websocket"]>, false>;

/** A server to dial. */
export type Upstream = NonNullable<File["default"]>;

/** How TLS is used to an upstream. */
export type UpstreamTls = Exclude<NonNullable<Upstream["tls"]>, boolean>;

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

type RouteEntry = Entry<File["routes"]>;

/** A rule that finds an upstream: by one exact ID, or by a glob over IDs. */
export type RouteConfig =
  & Omit<RouteEntry, "id" | "match">
  & (
    | { readonly id: string; readonly match?: undefined }
    | { readonly match: string; readonly id?: undefined }
  );

/** What happens to the connections of a route that a reload removes. */
export type OnRemoval = NonNullable<RouteEntry["on_removal"]>;

/** The whole configuration. Routes are in file order. */
export interface Config extends Omit<File, "routes"> {
  readonly routes: readonly RouteConfig[];
}

/** Severity below which nothing is logged. */
export type LogLevel = Config["log"]["level"];
