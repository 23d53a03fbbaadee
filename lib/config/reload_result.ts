/** The result of a reload, for the log, the admin API and observers. */

/** The changes of a reload. */
export interface ReloadResult {
  /** New routes. */
  readonly added: number;
  /** Routes whose target, `hold` or `on_removal` differs. */
  readonly changed: number;
  /** Removed routes. */
  readonly removed: number;
  /** Connections whose route was removed, which are closed at once or after `timeouts.drain`. */
  readonly connections: number;
}
