/** `log`: the content and the format of the log. */

import * as v from "valibot";
import { boolean, choice } from "./fields.ts";

/** Severities, most detailed first. */
const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

/** Forms of a log line. */
const LOG_FORMATS = ["text", "json"] as const;

/** Ways of logging a client's ID. */
const ID_PRIVACIES = ["plain", "hash", "truncate"] as const;

/** Level, format and access log. */
export const logSchema = v.pipe(
  v.strictObject({
    level: v.optional(choice(LOG_LEVELS, "Severity below which nothing is logged."), "info"),
    format: v.optional(choice(LOG_FORMATS, "Format of a log line."), "text"),
    access: boolean(true, "Whether each connection is logged when it ends."),
    id_privacy: v.optional(
      choice(ID_PRIVACIES, "How access lines show IDs: as they are, hashed, or by their first characters."),
      "plain",
    ),
  }, "a mapping such as { level: info, format: text, access: true }"),
  v.description("What is logged, and how."),
);
