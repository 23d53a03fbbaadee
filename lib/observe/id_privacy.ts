/** Client IDs in the access log, for logs that must not hold them as they are. */

import { createHash } from "node:crypto";
import type { Config } from "../config/config.ts";
import { quote } from "../util/text.ts";
import type { Closing, ConnectionInfo } from "./observer.ts";

/** How an ID is logged: `plain`, as a `hash`, or by its first characters. */
export type IdPrivacy = Config["log"]["id_privacy"];

/** Hexadecimal digits that are logged of a hash: 64 bits tell millions of IDs apart. */
const HASH_DIGITS = 16;

/** Most characters that are logged of a truncated ID; never more than half of it. */
const TRUNCATED_CHARACTERS = 4;

/** `id` as it is logged. */
export function loggedId(id: string, privacy: IdPrivacy): string {
  if (privacy === "plain") return id;
  if (privacy === "hash") {
    return `sha256:${createHash("sha256").update(id).digest("hex").slice(0, HASH_DIGITS)}`;
  }
  const characters = Array.from(id);
  const kept = Math.min(TRUNCATED_CHARACTERS, Math.floor(characters.length / 2));
  return `${characters.slice(0, kept).join("")}…`;
}

/** The fields of an access line that can have the ID in them. */
export function idFields(
  { id, route }: Pick<ConnectionInfo, "id" | "route">,
  detail: Closing["detail"],
  privacy: IdPrivacy,
): Pick<ConnectionInfo, "id" | "route"> & Pick<Closing, "detail"> {
  if (id === undefined || privacy === "plain") return { id, route, detail };
  const logged = loggedId(id, privacy);
  return {
    id: logged,
    route: route && ruleWithoutId(route, id, logged),
    detail: detail && withoutId(detail, id, logged),
  };
}

/** The text of a rule is the ID itself in `routes` and in Redis, and that of a glob may be. */
function ruleWithoutId(rule: string, id: string, logged: string): string {
  const [kind] = rule.split(" ", 1);
  return rule === `${kind} ${id}` ? `${kind} ${logged}` : rule;
}

/** Messages quote an ID, and shorten a long one. */
function withoutId(detail: string, id: string, logged: string): string {
  return [JSON.stringify(id), quote(id)].reduce(
    (text, quoted) => text.replaceAll(quoted, () => JSON.stringify(logged)),
    detail,
  );
}
