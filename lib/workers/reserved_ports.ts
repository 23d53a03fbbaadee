/** Sockets on ports that the system chose, until a configuration uses them. */

import { bind, type Listen } from "../listen/bind.ts";

/**
 * One worker opens a listener whose port the system is to choose, and the others then share that port. A socket that
 * only held the port, and was closed once all listen, could take connections with it: the system spreads them over all
 * sockets of a port, and one that was inherited by a process that is just being started stays open a little longer.
 */
export class ReservedPorts {
  #sockets: Deno.TcpListener[] = [];

  /** Opens a socket at `host`. @throws Error naming the address that cannot be listened on */
  reserve(host: string): Deno.NetAddr {
    const socket = bind({ host, port: 0 }, { reusePort: true, own: [] });
    this.#sockets.push(socket);
    return socket.addr;
  }

  /** `Deno.listen`, but for reserved ports, whose sockets it hands out. */
  readonly listen: Listen = (options) => {
    const reserved = this.#sockets.find(({ addr }) => addr.port === options.port);
    if (!reserved) return Deno.listen(options);
    this.#sockets = this.#sockets.filter((socket) => socket !== reserved);
    return reserved;
  };

  /** Closes the sockets that were not handed out. */
  release(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets = [];
  }
}
