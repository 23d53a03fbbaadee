/** `webhooks`: URLs that are told what happens. */

import * as v from "valibot";
import { parseHttpUrl, URL_EXPECTED } from "../values.ts";
import { choice, filePath, nonEmpty, parsed } from "./fields.ts";
import { HTTP_URL_PATTERN } from "./patterns.ts";

/** Events that a webhook can get. */
export const WEBHOOK_EVENTS = ["connect", "disconnect", "upstream_up", "upstream_down", "reload"] as const;

const webhook = v.strictObject({
  url: parsed(parseHttpUrl, URL_EXPECTED, "Gets a POST for each event.", { pattern: HTTP_URL_PATTERN }),
  events: v.exactOptional(nonEmpty(choice(WEBHOOK_EVENTS, "An event."), {
    expected: "a list of events",
    least: "at least one event, or no field events for all of them",
    description: "The events that it gets; default all.",
  })),
  secret_file: v.exactOptional(filePath("File with the secret by which requests are signed (HMAC-SHA256).")),
}, "a mapping such as { url: https://example.com/hook }");

/** Every webhook. */
export const webhooksSchema = v.optional(
  v.pipe(v.array(webhook, "a list of webhooks"), v.description("URLs that are called for events.")),
  [],
);
