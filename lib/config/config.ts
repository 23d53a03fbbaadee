/**
 * The types of a checked configuration, inferred from its schema: times are in milliseconds, sizes in bytes, defaults
 * filled in. `schema/` describes each field.
 */

import type * as v from "valibot";
import type { TableData } from "../tables/data.ts";
import type { fileSchema } from "./schema/file.ts";

export type { HostPort } from "./values.ts";

type DeepReadonly<T> = T extends object ? { readonly [Field in keyof T]: DeepReadonly<T[Field]> } : T;

type File = DeepReadonly<v.InferOutput<typeof fileSchema>>;

/** One of the entries of a list. */
type Entry<T extends readonly unknown[]> = T[number];

/** An address that accepts connections, and its protocols. */
export type ListenerConfig = Entry<File["listeners"]>;

/** The address of the admin API. */
export type AdminConfig = Exclude<File["admin"], false>;

/** How a listener uses TLS: the files, in PEM, of its certificates and private keys. */
export type TlsConfig = NonNullable<ListenerConfig["tls"]>;

/** The files, in PEM, of one certificate and its private key. */
export type KeyPairFiles = Pick<TlsConfig, "cert" | "key">;

/** Which WebSockets a listener accepts. */
export type WebSocketConfig = Exclude<NonNullable<ListenerConfig["websocket"]>, false>;

/** Several servers for the same IDs. */
export type PoolConfig = File["pools"][string];

/** A server to dial. */
export type Upstream = Omit<Entry<PoolConfig["servers"]>, "weight" | "backup">;

/** How TLS is used to an upstream. */
export type UpstreamTls = Exclude<NonNullable<Upstream["tls"]>, boolean>;

/** Where routes are looked up that several balancers share. */
export type RedisConfig = NonNullable<File["redis"]>;

/** How the servers of a pool are checked. */
export type HealthCheck = NonNullable<PoolConfig["health_check"]>;

/** Where connections go: to one server, or to a pool by its name. */
export type Target = Upstream & { readonly pool?: undefined } | { readonly pool: string };

type RouteEntry = Entry<File["routes"]>;

/** How clients are held while their server cannot be reached. */
export type HoldConfig = NonNullable<RouteEntry["hold"]>;

/** A target, and how its clients are held. */
export type DefaultConfig = Target & { readonly hold?: HoldConfig };

/** A rule that finds a target: by one exact ID, or by a glob over IDs. */
export type RouteConfig =
  & DefaultConfig
  & { readonly on_removal?: OnRemoval }
  & (
    | { readonly id: string; readonly match?: undefined }
    | { readonly match: string; readonly id?: undefined }
  );

/** How the connections of a route end if a reload removes it. */
export type OnRemoval = NonNullable<RouteEntry["on_removal"]>;

/** The whole configuration. Routes are in file order. */
export interface Config extends Omit<File, "routes" | "default"> {
  readonly routes: readonly RouteConfig[];
  /** The content of `tables`, which loading adds; without files there is none. */
  readonly tableData?: TableData;
  /** The route of IDs that no other route matches. */
  readonly default?: DefaultConfig;
}

/** Limit of connections without `limits.connections`, if the limit of open files allows as many. */
export const DEFAULT_CONNECTIONS = 10_000;

/** Lowest severity that is logged. */
export type LogLevel = Config["log"]["level"];
