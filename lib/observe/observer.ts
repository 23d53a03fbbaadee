/** What observers of the balancer are told: contracts that every layer above them shares. */

/** What a reload has changed. */
export interface ReloadResult {
  /** Routes that are new. */
  readonly added: number;
  /** Routes that lead elsewhere. */
  readonly changed: number;
  /** Routes that are gone. */
  readonly removed: number;
  /** Connections that are closed, at once or after `timeouts.drain`, since their route is gone. */
  readonly connections: number;
}
