/** Opens listening sockets, with errors that contain advice. */

import type { HostPort } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { addressText, hostPortText } from "../util/text.ts";

/** Length of the queue of connections to accept; with the platform's 511 a burst of thousands loses SYNs. */
const BACKLOG = 4096;

/** `Deno.listen` accepts `tcpBacklog` on 2.9.6, though its types lack it; versions that do not know it ignore it. */
export type ListenOptions = Deno.TcpListenOptions & {
  hostname: string;
  tcpBacklog: number;
  /** Lets several sockets listen on the address, over which the system spreads connections. */
  reusePort?: boolean;
};

/** `Deno.listen`; tests replace it. */
export type Listen = (options: ListenOptions) => Deno.TcpListener;

/** Options for opening a socket. */
export interface BindOptions {
  /** @default Deno.listen */
  readonly listen?: Listen | undefined;
  /** Whether other threads of this process listen on the address too. @default false */
  readonly reusePort?: boolean | undefined;
  /** Addresses that this process already listens on. */
  readonly own: readonly Deno.NetAddr[];
}

/** @throws Error with the address, the reason and what to do */
export function bind(
  { host, port }: HostPort,
  { listen = Deno.listen, reusePort = false, own }: BindOptions,
): Deno.TcpListener {
  try {
    return listen({ hostname: host, port, tcpBacklog: BACKLOG, ...(reusePort && { reusePort }) });
  } catch (error) {
    const open = own.find((address) => overlap(address, { hostname: host, port }));
    const why = open && error instanceof Deno.errors.AddrInUse ? takenBy(open) : listenProblem(error);
    throw new Error(`cannot listen on ${hostPortText({ host, port })}: ${why}`, { cause: error });
  }
}

/** A key for a listener on port 0: several of one address are numbered in order. */
export function freeKey({ host, port }: HostPort, taken: ReadonlyMap<string, unknown>): string {
  const wanted = `${host} ${port}`;
  let key = wanted;
  for (let other = 2; taken.has(key); other++) key = `${wanted} ${other}`;
  return key;
}

type Place = Pick<Deno.NetAddr, "hostname" | "port">;

/** Whether the system refuses to listen on both at once. */
function overlap(one: Place, other: Place): boolean {
  const hosts = [one.hostname, other.hostname];
  return one.port === other.port &&
    (hosts[0] === hosts[1] || hosts.includes("0.0.0.0") || hosts.includes("::"));
}

function takenBy(own: Deno.NetAddr): string {
  return `this process listens on ${
    addressText(own)
  } already, and cannot change over without closing the port; use another port or start it anew`;
}

function listenProblem(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the address is in use; stop what uses it or choose another";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) return "no interface of this machine has the address";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied; try a port above 1023";
  }
  return messageOf(error);
}
