/** The screen of `switchyard top`: text from the objects of the admin API. */

import type { connectionView, poolView, statusView } from "../admin/views.ts";
import { bytes, count, duration } from "../admin/dashboard/format.js";
import { plain } from "../util/text.ts";
import type { Size } from "./terminal.ts";

/** Orders of the connections, by the key that selects them. */
export const ORDERS: Readonly<Record<string, string>> = { b: "bytes", a: "age", i: "id" };

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
  const head = [...statusLines(state), ...pools, "", columnLine()];
  const foot = state.problem ?? `q quit   sort: b bytes  a age  i ID   (by ${state.order})`;
  const room = Math.max(0, rows - head.length - 1);
  const list = state.connections.slice(0, room).map(connectionLine);
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
  return [
    `Switchyard ${status.version}  ${status.draining ? "draining" : "running"}  up ${
      duration(status.uptime_ms)
    }`,
    `connections ${count(status.connections_active)}  new ${count(news)}/s  ` +
    `from clients ${bytes(up)}/s  from upstreams ${bytes(down)}/s  routes ${count(status.routes)}`,
    `refused ${refused.map(([reason, value]) => `${reason} ${count(value)}`).join("  ") || "none"}`,
  ];
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

const WIDTHS = [8, 26, 22, 22, 11, 13, 10, 10];

function columnLine(): string {
  return columnsOf(["NO.", "ID", "CLIENT", "UPSTREAM", "STATE", "AGE", "UP", "DOWN"]);
}

function connectionLine(connection: TopState["connections"][number]): string {
  const { conn, id, client, upstream, state, age_ms, bytes_up, bytes_down } = connection;
  const texts = [conn, id ?? "-", client, upstream ?? "-", state, duration(age_ms), bytes(bytes_up)];
  return columnsOf([...texts.map(String), bytes(bytes_down)]);
}

function columnsOf(texts: readonly string[]): string {
  return texts.map((text, index) => pad(fit(plain(text), (WIDTHS[index] ?? 10) - 1), WIDTHS[index] ?? 10))
    .join("")
    .trimEnd();
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
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
