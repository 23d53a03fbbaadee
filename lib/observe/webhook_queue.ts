/** The queue of events for one webhook, which are sent one by one. */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";
import { postJson, type PostOptions, withoutSecrets } from "../util/post.ts";
import { counted } from "../util/text.ts";
import { DroppedEvents } from "./dropped_events.ts";
import { readWebhookSecret } from "./webhook_secret.ts";

const log = getLogger("switchyard");

/** One entry of `webhooks`. */
export type WebhookConfig = Config["webhooks"][number];

/** Name of an event. */
export type WebhookEvent = NonNullable<WebhookConfig["events"]>[number];

/** Events of connections that have waited longer, in milliseconds, give way to others. */
const LATE_MS = 1000;

/** Maximum number of queued events per webhook. */
export const MOST_QUEUED = 1000;

/** Timeout for an answer, in milliseconds. */
const TIMEOUT_MS = 5000;

/** Pauses before an event is sent again, in milliseconds; after the last attempt it is dropped. */
const PAUSES_MS: readonly number[] = [1000, 5000];

/** Posts `body`; rejects without a successful answer. */
export type PostEvent = (url: string, body: string, options: PostOptions) => Promise<void>;

/** Replacements for the platform in tests. */
export interface WebhooksOptions {
  /** @default by fetch */
  readonly post?: PostEvent;
  /** @default 1 and 5 seconds */
  readonly pauses?: readonly number[];
  /** @default 1 second */
  readonly lateMs?: number;
  /** Reads the secret's file. @default from disk, within 10 seconds */
  readonly readSecret?: (file: string) => Promise<string>;
}

/** An event as it is posted. */
export interface Event {
  readonly event: WebhookEvent;
  /** RFC 3339. */
  readonly time: string;
  /** The data of the event. */
  readonly data: unknown;
}

/** An event and when it was queued, in milliseconds of `performance.now`. */
interface Queued {
  readonly event: Event;
  readonly at: number;
}

/** Frequent events, each about a single connection, which give way to others. */
const OF_CONNECTIONS: ReadonlySet<WebhookEvent> = new Set(["connect", "disconnect"]);

/** A bounded queue of events. If it is full, the oldest event of a connection is dropped. */
export class WebhookQueue {
  readonly #config: WebhookConfig;
  readonly #options: Required<WebhooksOptions>;
  readonly #ofConnections: Queued[] = [];
  /** Events that are useful only while they are new, such as the health of a server. */
  readonly #others: Queued[] = [];
  readonly #ended = new AbortController();
  #sending: Promise<void> | undefined;
  readonly #dropped: DroppedEvents;

  constructor(
    config: WebhookConfig,
    { post = postJson, pauses = PAUSES_MS, lateMs = LATE_MS, readSecret = readWebhookSecret }:
      WebhooksOptions = {},
  ) {
    this.#config = config;
    this.#options = { post, pauses, lateMs, readSecret };
    this.#dropped = new DroppedEvents(withoutSecrets(config.url));
  }

  wants(event: WebhookEvent): boolean {
    return this.#config.events?.includes(event) ?? true;
  }

  /** Adds an event. A full queue drops its oldest one, preferably of a connection. */
  add(event: Event): void {
    const lane = OF_CONNECTIONS.has(event.event) ? this.#ofConnections : this.#others;
    lane.push({ event, at: performance.now() });
    if (this.#length > MOST_QUEUED) {
      (this.#ofConnections.length > 0 ? this.#ofConnections : this.#others).shift();
      this.#dropped.add();
    }
    this.#sending ??= this.#send();
  }

  /** Stops sending, at the latest after `ms`. */
  async end(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#ended.abort(), ms);
    await this.#sending;
    clearTimeout(timer);
    this.#ended.abort();
    this.#dropped.add(this.#length);
    this.#dropped.report();
  }

  get #length(): number {
    return this.#ofConnections.length + this.#others.length;
  }

  async #send(): Promise<void> {
    // not during the observer's call, which is on the path of a connection
    await Promise.resolve();
    for (let event; !this.#ended.signal.aborted && (event = this.#next());) {
      await this.#deliver(event);
      if (this.#length <= MOST_QUEUED / 2) this.#dropped.report();
    }
    this.#sending = undefined;
  }

  /** The oldest event, or while the webhook is late the oldest that is not about a connection. */
  #next(): Event | undefined {
    const [[connection], [other]] = [this.#ofConnections, this.#others];
    const isLate = connection && performance.now() - connection.at >= this.#options.lateMs;
    const isFirst = connection && (!other || (connection.at <= other.at && !isLate));
    return (isFirst ? this.#ofConnections : this.#others).shift()?.event;
  }

  async #deliver(event: Event): Promise<void> {
    const body = JSON.stringify(event);
    let attempts = 0;
    for (const pause of [...this.#options.pauses, undefined]) {
      attempts += 1;
      try {
        return await this.#post(event, body);
      } catch (error) {
        if (pause === undefined || this.#ended.signal.aborted) {
          const what = `dropping the event ${event.event} after ${counted(attempts, "attempt")}`;
          return log.warning(`webhook ${this.#dropped.webhook}: ${what}: ${messageOf(error)}`);
        }
        await sleep(pause, this.#ended.signal);
      }
    }
  }

  async #signAndPost({ event }: Event, body: string): Promise<void> {
    const { url, secret_file: file } = this.#config;
    const { post, readSecret } = this.#options;
    const signed = file === undefined
      ? {}
      : { "switchyard-signature": await signature(await readSecret(file), body) };
    await post(url, body, { headers: { "switchyard-event": event, ...signed }, timeout: TIMEOUT_MS });
  }

  /** Aborted at the end of the queue, even while the secret's file or the server hangs. */
  async #post(event: Event, body: string): Promise<void> {
    const posting = this.#signAndPost(event, body);
    const ended = Promise.withResolvers<never>();
    const end = () => ended.reject(new Error("the balancer is shutting down"));
    this.#ended.signal.addEventListener("abort", end);
    try {
      await Promise.race([posting, ended.promise]);
    } finally {
      this.#ended.signal.removeEventListener("abort", end);
      // the rejection of the loser of the race
      posting.catch(() => {});
    }
  }
}

/** `t=SECONDS,v1=HEX`: HMAC-SHA256 over the seconds since 1970, a dot and the body. */
async function signature(secret: string, body: string): Promise<string> {
  const encoder = new TextEncoder();
  const seconds = Math.floor(Date.now() / 1000);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const signed = await crypto.subtle.sign("HMAC", key, encoder.encode(`${seconds}.${body}`));
  const hex = Array.from(new Uint8Array(signed), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `t=${seconds},v1=${hex}`;
}
