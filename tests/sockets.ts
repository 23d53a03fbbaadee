/** Sockets of this machine, as the kernel lists them. */

/** Whether this system shows its sockets. */
export const SHOWS_SOCKETS = Deno.build.os === "linux";

const [SYN_SENT, LISTEN] = ["02", "0A"];

/** Number of sockets that have sent a SYN to `port` and wait for the answer. */
export function synSent(port: number): number {
  return socketsOf(port).filter(({ remote, state }) => remote === port && state === SYN_SENT).length;
}

/** Number of sockets to or from `ports` that some process has open, listeners left out. */
export function openSockets(...ports: number[]): number {
  const isOpen = ({ local, remote, state, inode }: Socket) =>
    state !== LISTEN && inode !== "0" && (ports.includes(local) || ports.includes(remote));
  return socketsOf(...ports).filter(isOpen).length;
}

/** Number of connections that wait until the listener on `port` accepts them. */
export function queuedConnections(port: number): number {
  const listener = socketsOf(port).find(({ local, state }) => local === port && state === LISTEN);
  return listener?.received ?? 0;
}

interface Socket {
  readonly local: number;
  readonly remote: number;
  readonly state: string;
  /** Bytes that have been received and not been read; for a listener, connections that have not been accepted. */
  readonly received: number;
  /** 0 if no process has it open. */
  readonly inode: string;
}

/** The IPv4 sockets to or from `ports`. Rows of the thousands of others are not parsed. */
function socketsOf(...ports: number[]): Socket[] {
  const addresses = ports.map((port) => `:${port.toString(16).toUpperCase().padStart(4, "0")} `);
  const rows = Deno.readTextFileSync("/proc/net/tcp").trim().split("\n").slice(1)
    .filter((row) => addresses.some((address) => row.includes(address)));
  return rows.map((row) => {
    const [, local = "", remote = "", state = "", queues = "", , , , , inode = ""] = row.trim().split(/\s+/);
    return { local: portOf(local), remote: portOf(remote), state, received: portOf(queues), inode };
  });
}

function portOf(address: string): number {
  return parseInt(address.slice(address.indexOf(":") + 1), 16);
}

/**
 * A port of loopback that nothing listens on. It is outside the range from which systems take a port for a connect, so
 * no socket of another test comes by it.
 */
export function freePort(hostname = "127.0.0.1"): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    try {
      Deno.listen({ hostname, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
