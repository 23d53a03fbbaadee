/** The settings of a listener. */

import type { ListenerConfig, WebSocketConfig } from "../config/config.ts";
import type { TlsServer } from "../transport/tls/server.ts";
import { AddressList } from "../util/cidr.ts";

/** A listener's name and settings. Immutable; a reload replaces it. */
export class Listener {
  /** Its address, as logged. */
  readonly name: string;
  /** Which WebSockets are accepted; undefined for none. */
  readonly webSocket: WebSocketConfig | undefined;
  /** The TLS server; undefined for plain TCP. */
  readonly tls: TlsServer | undefined;
  readonly #trusted: AddressList | undefined;

  constructor(name: string, { proxy_protocol, websocket = {} }: ListenerConfig, tls?: TlsServer) {
    this.name = name;
    this.tls = tls;
    this.webSocket = websocket || undefined;
    if (proxy_protocol) this.#trusted = new AddressList(proxy_protocol.trusted);
  }

  /** Whether a peer at `address` is a trusted proxy, which must send a PROXY header. */
  isProxy(address: string): boolean {
    return this.#trusted?.find(address) !== undefined;
  }
}
