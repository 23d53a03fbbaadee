/** Detects whether a worker's thread has really ended: the platform reports the end of threads that still run. */

import { sleep } from "../util/async.ts";

const HOSTNAME = "127.0.0.1";

/** Polling interval, in milliseconds. */
const TRY_MS = 50;

/** A sign of life of a thread: a UDP port that it holds, and that is free once all its resources are closed. */
export class Presence implements Disposable {
  readonly #socket = bindUdp(0);

  get port(): number {
    return this.#socket.addr.port;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Waits until the thread that holds the port has ended. False if `signal` is aborted first. */
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
  } catch {
    // in use, or no open files are left: those of the thread may be about to be closed
    return false;
  }
}

function bindUdp(port: number): Deno.DatagramConn & { readonly addr: Deno.NetAddr } {
  return Deno.listenDatagram({ transport: "udp", hostname: HOSTNAME, port }) as
    & Deno.DatagramConn
    & { readonly addr: Deno.NetAddr };
}
