/** The events for one webhook, sent one by one. */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";
import { postJson, type PostOptions, withoutSecrets } from "../util/post.ts";
import { readText } from "../util/read_file.ts";
import { counted } from "../util/text.ts";
import { DroppedEvents } from "./dropped_events.ts";

const log = getLogger("switchyard");

/** One entry of `webhooks`. */
export type WebhookConfig = Config["webhooks"][number];

/** Name of an event. */
export type WebhookEvent = NonNullable<WebhookConfig["events"]>[number];

/** Events of connections that have waited for longer, in milliseconds, let others pass. */
const LATE_MS = 1000;

/** Most events that wait for one webhook. */
export const MOST_QUEUED = 1000;

/** Longest time for an answer, in milliseconds. */
const TIMEOUT_MS = 5000;

/** Pauses before an event is sent again, in milliseconds; after the last it is dropped. */
const PAUSES_MS: readonly number[] = [1000, 5000];

/** Posts `body`; rejects where no answer of success came. */
export type PostEvent = (url: string, body: string, options: PostOptions) => Promise<void>;

/** What tests put in place of the platform. */
export interface WebhooksOptions {
  /** @default by fetch */
  readonly post?: PostEvent;
  /** @default 1 and 5 seconds */
  readonly pauses?: readonly number[];
  /** @default 1 second */
  readonly lateMs?: number;
  /** Reads the file of a secret. @default from disk, within 10 seconds */
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

/** Events that follow each other fast: each is about one connection, and gives way to the others. */
const OF_CONNECTIONS: ReadonlySet<WebhookEvent> = new Set(["connect", "disconnect"]);

/** See the top of the file. */
export class WebhookQueue {
  readonly #config: WebhookConfig;
  readonly #options: Required<WebhooksOptions>;
  readonly #ofConnections: Queued[] = [];
  /** Of use only while they are news, such as the health of a server. */
  readonly #others: Queued[] = [];
  readonly #ended = new AbortController();
  #sending: Promise<void> | undefined;
  readonly #dropped: DroppedEvents;

  constructor(
    config: WebhookConfig,
    { post = postJson, pauses = PAUSES_MS, lateMs = LATE_MS, readSecret = readSecretFile }: WebhooksOptions =
      {},
  ) {
    this.#config = config;
    this.#options = { post, pauses, lateMs, readSecret };
    this.#dropped = new DroppedEvents(withoutSecrets(config.url));
  }

  wants(event: WebhookEvent): boolean {
    return this.#config.events?.includes(event) ?? true;
  }

  /** A full queue drops its oldest event, of a connection if there is one. */
  add(event: Event): void {
    const lane = OF_CONNECTIONS.has(event.event) ? this.#ofConnections : this.#others;
    lane.push({ event, at: performance.now() });
    if (this.#length > MOST_QUEUED) {
      (this.#ofConnections.length > 0 ? this.#ofConnections : this.#others).shift();
      this.#dropped.add();
    }
    this.#sending ??= this.#send();
  }

  /** Ends the sending, after at most `ms`. */
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
    // not within the call of the observer, which is on the path of a connection
    await Promise.resolve();
    for (let event; !this.#ended.signal.aborted && (event = this.#next());) {
      await this.#deliver(event);
      if (this.#length <= MOST_QUEUED / 2) this.#dropped.report();
    }
    this.#sending = undefined;
  }

  /** The oldest, or while the webhook is late the oldest that is not about a connection. */
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

  /** Ends with the queue, whatever its file of the secret or its server does. */
  async #post(event: Event, body: string): Promise<void> {
    const posting = this.#signAndPost(event, body);
    const ended = Promise.withResolvers<never>();
    const end = () => ended.reject(new Error("the balancer is ending"));
    this.#ended.signal.addEventListener("abort", end);
    try {
      await Promise.race([posting, ended.promise]);
    } finally {
      this.#ended.signal.removeEventListener("abort", end);
      // a reader that lost the race
      posting.catch(() => {});
    }
  }
}

/** For each event: a secret that was replaced counts at once. */
async function readSecretFile(file: string): Promise<string> {
  return (await readText(file, { maxBytes: 4096 })).trim();
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
