/** The screen of `switchyard top`: text from the objects of the admin API. */

import type { connectionView, poolView, statusView } from "../admin/views.ts";
import { bytes, count, duration } from "../admin/dashboard/format.js";
import { plain } from "../util/text.ts";
import type { Size } from "./terminal.ts";

/** Orders of the connections, by the key that selects them. */
export const SORT_KEYS: Readonly<Record<string, string>> = { b: "bytes", a: "age", i: "id" };

export type Status = Awaited<ReturnType<typeof statusView>>;

/** The data on the screen. */
export interface TopState {
  readonly status: Status;
  /** The previous status, to compute rates; undefined at first. */
  readonly before: Status | undefined;
  readonly pools: readonly ReturnType<typeof poolView>[];
  readonly connections: readonly ReturnType<typeof connectionView>[];
  readonly order: string;
  /** The latest error. */
  readonly problem?: string | undefined;
}

/** Exactly as many lines as the terminal has rows, none wider than the terminal. */
export function topScreen(state: TopState, { columns, rows }: Size): string[] {
  const pools = poolLines(state).slice(0, Math.floor(rows / 4));
  const table = columnsFor(columns);
  const head = [...statusLines(state), ...pools, "", lineOf(table, ({ title }) => title)];
  const foot = state.problem ?? `q quit   sort: b bytes  a age  i ID   (by ${state.order})`;
  const room = Math.max(0, rows - head.length - 1);
  const list = state.connections.slice(0, room)
    .map((connection) => lineOf(table, ({ text }) => text(connection)));
  const blank = Array.from({ length: room - list.length }, () => "");
  return [...head, ...list, ...blank, foot].slice(-rows).map((line) => fit(plain(line), columns));
}

function statusLines({ status, before }: TopState): string[] {
  const seconds = before ? (status.uptime_ms - before.uptime_ms) / 1000 : 0;
  const rate = (now: number, then: number | undefined) =>
    then === undefined || seconds <= 0 ? 0 : Math.max(0, now - then) / seconds;
  const [news, up, down] = [
    rate(status.connections_total, before?.connections_total),
    rate(status.bytes_up, before?.bytes_up),
    rate(status.bytes_down, before?.bytes_down),
  ];
  const refused = Object.entries(status.refused).filter(([, value]) => value > 0);
  const state = status.draining ? "draining" : "running";
  return [
    `Switchyard ${status.version}  ${state}  uptime ${duration(status.uptime_ms)}  ` +
    `routes ${count(status.routes)}  workers ${count(status.workers)}${deaths(status)}`,
    `connections ${count(status.connections_active)}  new ${count(news)}/s  ` +
    `up ${bytes(up)}/s  down ${bytes(down)}/s`,
    `refused ${refused.map(([reason, value]) => `${reason} ${count(value)}`).join("  ") || "none"}`,
    ...(status.redis ? [`redis ${status.redis.text}  ${count(status.redis.cached_ids)} IDs cached`] : []),
  ];
}

function deaths({ worker_deaths: died }: Status): string {
  return died > 0 ? ` (${count(died)} died)` : "";
}

function poolLines({ pools }: TopState): string[] {
  return pools.flatMap(({ name, servers }) =>
    servers.map(({ upstream, state, backup, connections_active, share }) => {
      const role = backup ? " (backup)" : "";
      return `pool ${name}  ${upstream}${role}  ${state}  ${count(connections_active)}  ${
        Math.round(share * 100)
      } %`;
    })
  );
}

/** One column of the connections. */
interface Column {
  readonly title: string;
  /** Including the blank behind it. */
  readonly width: number;
  /** Whether it is right-aligned. */
  readonly number?: boolean;
  readonly text: (connection: Connection) => string;
}

type Connection = TopState["connections"][number];

const COLUMNS: readonly Column[] = [
  { title: "NO.", width: 9, number: true, text: ({ conn }) => String(conn) },
  { title: "ID", width: 16, text: ({ id }) => id ?? "-" },
  { title: "CLIENT", width: 22, text: ({ client }) => client },
  { title: "UPSTREAM", width: 22, text: ({ upstream }) => upstream ?? "-" },
  { title: "STATE", width: 11, text: ({ state }) => state },
  { title: "AGE", width: 13, number: true, text: ({ age_ms }) => duration(age_ms) },
  { title: "UP", width: 10, number: true, text: ({ bytes_up }) => bytes(bytes_up) },
  { title: "DOWN", width: 10, number: true, text: ({ bytes_down }) => bytes(bytes_down) },
];

/** Left out if the terminal is too narrow, beginning with the first. */
const DISPENSABLE = ["STATE", "CLIENT", "UPSTREAM", "AGE", "NO.", "UP", "DOWN"];

/** Most columns by which spare room widens an ID. */
const MOST_ROOM = 30;

/** The columns that fit into a terminal; what is left makes IDs wider, and then addresses. */
function columnsFor(width: number): readonly Column[] {
  let left = COLUMNS;
  const used = () => left.reduce((sum, column) => sum + column.width, 0);
  for (const title of DISPENSABLE) if (used() > width) left = left.filter((column) => column.title !== title);
  const room = Math.max(0, width - used());
  const ofId = Math.min(room, MOST_ROOM);
  const ofAddress = Math.floor((room - ofId) / 2);
  const more: Readonly<Record<string, number>> = { ID: ofId, CLIENT: ofAddress, UPSTREAM: ofAddress };
  return left.map((column) => ({ ...column, width: column.width + (more[column.title] ?? 0) }));
}

/** A line with the text that `textOf` gives for each column. */
function lineOf(columns: readonly Column[], textOf: (column: Column) => string): string {
  return columns.map((column) => {
    const text = fit(plain(textOf(column)), column.width - 1);
    const blank = " ".repeat(Math.max(0, column.width - 1 - widthOf(text)));
    return column.number ? `${blank}${text} ` : `${text}${blank} `;
  }).join("").trimEnd();
}

/** `text` in at most `width` columns, shortened with an ellipsis if necessary. */
function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = "";
  let used = 1;
  for (const character of text) {
    used += widthOf(character);
    if (used > width) break;
    cut += character;
  }
  return width > 0 ? `${cut}…` : "";
}

/** East Asian wide characters and emoji take two columns, combining marks none (Unicode Standard Annex 11). */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;
