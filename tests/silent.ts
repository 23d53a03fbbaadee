/** A server that does not answer connects, and the sockets that wait for it. */

/** A listener whose backlog is full: the kernel drops every further SYN. */
export async function startSilent() {
  // tcpBacklog is undocumented; the kernel queues one connection more than it
  const options = { hostname: "127.0.0.1", port: 0, tcpBacklog: 1 };
  const listener = Deno.listen(options);
  const { port } = listener.addr;
  const queued = [await Deno.connect({ port }), await Deno.connect({ port })];
  return {
    port,
    /** Takes what is queued and answers again. */
    async wake() {
      for (const _ of queued) (await listener.accept()).close();
    },
    [Symbol.dispose]() {
      for (const conn of queued) conn.close();
      listener.close();
    },
  };
}

/** Number of this machine's sockets that have sent a SYN to `port` and wait for the answer. */
export function synSent(port: number): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = Deno.readTextFileSync("/proc/net/tcp").split("\n").slice(1);
  return rows.filter((row) => {
    const [, , to = "", state] = row.trim().split(/\s+/);
    return to.endsWith(remote) && state === "02";
  }).length;
}

/** Whether this system shows its sockets. */
export const SHOWS_SOCKETS = Deno.build.os === "linux";
