/** How the main thread learns whether a worker's thread is really gone: the platform reports the end of one that still runs. */

import { sleep } from "../util/async.ts";

const HOSTNAME = "127.0.0.1";

/** How often it is tried, in milliseconds. */
const TRY_MS = 50;

/** What shows that a thread lives: a UDP port that it has, and that is free once all that the thread had is closed. */
export class Presence implements Disposable {
  readonly #socket = bindUdp(0);

  get port(): number {
    return this.#socket.addr.port;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Waits until the thread that has the port is gone. False where it still is not once `signal` is aborted. */
export async function whenGone(port: number, signal: AbortSignal): Promise<boolean> {
  while (!isFree(port)) {
    if (signal.aborted) return false;
    await sleep(TRY_MS, signal);
  }
  return true;
}

function isFree(port: number): boolean {
  try {
    bindUdp(port).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

function bindUdp(port: number): Deno.DatagramConn & { readonly addr: Deno.NetAddr } {
  return Deno.listenDatagram({ transport: "udp", hostname: HOSTNAME, port }) as
    & Deno.DatagramConn
    & { readonly addr: Deno.NetAddr };
}
