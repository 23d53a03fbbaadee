/** Lines of the log, as text for a terminal or as JSON. */

import type { LogRecord } from "@logtape/logtape";
import { plain } from "../util/text.ts";

/** Printable ASCII that JSON does not escape. Most values are that, and the test is cheaper than `JSON.stringify`. */
const UNESCAPED = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** One word in ASCII; most values are that, for which the test is much cheaper. */
const ASCII_WORD = /^[\w.:/@+*[\]-]+$/;

const WORD = /^[\p{L}\p{N}_.:/@+*[\]-]+$/u;

/** One JSON object, its properties beside `time`, `level` and `message`. */
export function jsonLine(record: LogRecord): string {
  return `${
    plain(JSON.stringify({
      time: timestamp(record.timestamp),
      level: record.level,
      message: messageText(record),
      ...record.properties,
    }))
  }\n`;
}

/** `time LEVEL message key=value ...`, a value in quotes if it is more than one plain word. */
export function textLine(record: LogRecord): string {
  const { level, properties } = record;
  let line = `${timestamp(record.timestamp)} ${level.toUpperCase().padEnd(7)} ${plain(messageText(record))}`;
  for (const [key, value] of Object.entries(properties)) {
    if (key !== "time" && value !== null && value !== undefined) line += ` ${plain(key)}=${textValue(value)}`;
  }
  return `${line}\n`;
}

/** A value in a line of text: nothing in it can end the line, begin another field or control a terminal. */
export function textValue(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (ASCII_WORD.test(text)) return text;
  if (UNESCAPED.test(text)) return `"${text}"`;
  return plain(WORD.test(text) ? text : JSON.stringify(text));
}

/** A string in a line of JSON, escaped as `jsonLine` does. */
export function jsonString(text: string): string {
  return UNESCAPED.test(text) ? `"${text}"` : plain(JSON.stringify(text));
}

/** The second that was formatted last, in seconds since 1970, and its text up to the fraction. */
let formatted = { second: NaN, text: "" };

/** `time`, in milliseconds since 1970, as RFC 3339 with milliseconds in UTC. */
export function timestamp(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== formatted.second) {
    formatted = { second, text: new Date(second * 1000).toISOString().slice(0, -4) };
  }
  return `${formatted.text}${String(Math.floor(time - second * 1000)).padStart(3, "0")}Z`;
}

/** LogTape fills in what stands in braces in a text, but here such a text is quoted: an ID, a key, a path. */
function messageText(record: LogRecord): string {
  const { category: [first], rawMessage } = record;
  if (typeof rawMessage === "string" && first !== "logtape") return rawMessage;
  return record.message.map((part) => typeof part === "string" ? part : JSON.stringify(part)).join("");
}
