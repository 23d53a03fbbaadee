/** Sockets of this machine, as the kernel lists them. */

/** Whether this system shows its sockets. */
export const SHOWS_SOCKETS = Deno.build.os === "linux";

const [SYN_SENT, LISTEN] = ["02", "0A"];

/** Number of sockets that have sent a SYN to `port` and wait for the answer. */
export function synSent(port: number): number {
  return sockets().filter(({ remote, state }) => remote === port && state === SYN_SENT).length;
}

/** Number of sockets to or from `ports` that some process has open, listeners left out. */
export function openSockets(...ports: number[]): number {
  const isOpen = ({ local, remote, state, inode }: Socket) =>
    state !== LISTEN && inode !== "0" && (ports.includes(local) || ports.includes(remote));
  return sockets().filter(isOpen).length;
}

interface Socket {
  readonly local: number;
  readonly remote: number;
  readonly state: string;
  /** 0 where no process has it any more. */
  readonly inode: string;
}

/** The IPv4 sockets. */
function sockets(): Socket[] {
  const rows = Deno.readTextFileSync("/proc/net/tcp").trim().split("\n").slice(1);
  return rows.map((row) => {
    const [, local = "", remote = "", state = "", , , , , , inode = ""] = row.trim().split(/\s+/);
    return { local: portOf(local), remote: portOf(remote), state, inode };
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
