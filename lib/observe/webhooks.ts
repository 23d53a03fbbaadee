/** Webhooks: what happens is posted to URLs, later and apart from the connections that it happens to. */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";
import { postJson, type PostOptions, withoutSecrets } from "../util/post.ts";
import { readText } from "../util/read_file.ts";
import { counted } from "../util/text.ts";
import { accessRecord } from "./access_line.ts";
import type { Closing, ConnectionInfo, HealthState, Observer, ReloadResult, ServerInfo } from "./observer.ts";

const log = getLogger("switchyard");

/** One entry of `webhooks`. */
export type WebhookConfig = Config["webhooks"][number];

/** Name of an event. */
export type WebhookEvent = NonNullable<WebhookConfig["events"]>[number];

/** Events that wait for one webhook; those that come then are dropped and counted. */
export const MOST_QUEUED = 1000;

/** Longest time for an answer, in milliseconds. */
const TIMEOUT_MS = 5000;

/** Pauses before an event is sent again, in milliseconds; after the last it is dropped. */
const PAUSES_MS: readonly number[] = [1000, 5000];

/** How long events that are queued may still take when the balancer ends, in milliseconds. */
const LAST_MS = 2000;

/** Posts `body`; rejects where no answer of success came. */
export type PostEvent = (url: string, body: string, options: PostOptions) => Promise<void>;

/** What tests put in place of the platform. */
export interface WebhooksOptions {
  /** @default by fetch */
  readonly post?: PostEvent;
  /** @default 1 and 5 seconds */
  readonly pauses?: readonly number[];
  /** Reads the file of a secret. @default from disk, within 10 seconds */
  readonly readSecret?: (file: string) => Promise<string>;
}

interface Event {
  readonly event: WebhookEvent;
  /** RFC 3339. */
  readonly time: string;
  /** The data of the event. */
  readonly data: unknown;
}

/** Queues events for every webhook that is told of them. */
export class Webhooks implements Observer, AsyncDisposable {
  readonly #options: Required<WebhooksOptions>;
  #queues = new Map<string, Queue>();

  constructor(
    configs: readonly WebhookConfig[],
    { post = postJson, pauses = PAUSES_MS, readSecret = readSecretFile }: WebhooksOptions = {},
  ) {
    this.#options = { post, pauses, readSecret };
    this.configure(configs);
  }

  /** Replaces the webhooks. One that stays keeps its queue. */
  configure(configs: readonly WebhookConfig[]): void {
    const before = this.#queues;
    this.#queues = new Map(configs.map((config) => {
      const key = JSON.stringify(config);
      return [key, before.get(key) ?? new Queue(config, this.#options)];
    }));
    for (const [key, queue] of before) if (!this.#queues.has(key)) void queue.end(LAST_MS);
  }

  connected(connection: ConnectionInfo): void {
    this.#tell("connect", () => {
      const { conn, id, client, listener, transport, route, upstream, connect_ms } = accessRecord(
        connection,
        OPEN,
      );
      return { conn, id, client, listener, transport, route, upstream, connect_ms };
    });
  }

  closed(connection: ConnectionInfo, why: Closing): void {
    // one that was never relayed had no connect, and a flood of those must not fill the queue
    if (connection.connectedAt !== undefined) this.#tell("disconnect", () => accessRecord(connection, why));
  }

  serverChanged({ key, pool, active }: ServerInfo, state: HealthState, why: string): void {
    this.#tell(
      state === "up" ? "upstream_up" : "upstream_down",
      () => ({ upstream: key, pool, state, why, active }),
    );
  }

  reloaded(result: ReloadResult): void {
    this.#tell("reload", () => result);
  }

  /** Gives queued events a little time, and drops the rest. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.end(LAST_MS)));
  }

  #tell(event: WebhookEvent, data: () => unknown): void {
    // on the path of every connection, with webhooks or without
    if (this.#queues.size === 0) return;
    let queued: Event | undefined;
    for (const queue of this.#queues.values()) {
      if (queue.wants(event)) queue.add(queued ??= { event, time: new Date().toISOString(), data: data() });
    }
  }
}

/** The ending of a connection that is still open, whose record has no fields about the end. */
const OPEN: Closing = { reason: "probe", closedBy: "client" };

/** The events for one webhook, sent one by one. */
class Queue {
  readonly #config: WebhookConfig;
  readonly #options: Required<WebhooksOptions>;
  readonly #events: Event[] = [];
  readonly #ended = new AbortController();
  #sending: Promise<void> | undefined;
  #dropped = 0;

  constructor(config: WebhookConfig, options: Required<WebhooksOptions>) {
    this.#config = config;
    this.#options = options;
  }

  wants(event: WebhookEvent): boolean {
    return this.#config.events?.includes(event) ?? true;
  }

  add(event: Event): void {
    if (this.#events.length >= MOST_QUEUED) {
      this.#dropped += 1;
      if (this.#dropped === 1) log.warning(`webhook ${this.#name}: its queue is full, dropping events`);
      return;
    }
    this.#events.push(event);
    this.#sending ??= this.#send();
  }

  /** Ends the sending, after at most `ms`. */
  async end(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#ended.abort(), ms);
    await this.#sending;
    clearTimeout(timer);
    this.#ended.abort();
  }

  get #name(): string {
    return withoutSecrets(this.#config.url);
  }

  async #send(): Promise<void> {
    // not within the call of the observer, which is on the path of a connection
    await Promise.resolve();
    for (let event; !this.#ended.signal.aborted && (event = this.#events.shift());) {
      await this.#deliver(event);
      if (this.#dropped === 0 || this.#events.length > MOST_QUEUED / 2) continue;
      log.warning(`webhook ${this.#name}: ${this.#dropped} events were dropped while its queue was full`);
      this.#dropped = 0;
    }
    this.#sending = undefined;
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
          return log.warning(`webhook ${this.#name}: ${what}: ${messageOf(error)}`);
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
