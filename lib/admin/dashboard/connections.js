/** The table of connections, which shows one page at a time. */

import { confirm, request } from "./api.js";
import { bytes, count, duration, visible } from "./format.js";
import { cell, element } from "./views.js";

/** Rows of a page; on a narrow screen each is as high as the screen. */
const LIMIT = matchMedia("(max-width: 860px)").matches ? 10 : 50;

/** Updates the table. Rows of connections that are still open are kept, so that they keep the focus. */
export class ConnectionTable {
  #table = document.getElementById("connections");
  #form = document.getElementById("connections-form");
  #shown = document.getElementById("connections-shown");
  #first = document.getElementById("connections-first");
  #next = document.getElementById("connections-next");
  #rows = new Map();
  #after = 0;
  #following = null;
  #total = 0;
  #busy = false;
  /** Whether the form or the page has changed during a request. */
  #again = false;
  #onProblem;

  /** @param onProblem Called with the text of an error, and without one once it is over. */
  constructor(onProblem) {
    this.#onProblem = onProblem;
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("input", () => this.#turn(0));
    this.#first.addEventListener("click", () => this.#turn(0));
    this.#next.addEventListener("click", () => this.#turn(this.#following ?? 0));
  }

  /** Requests the page again. @param total Number of open connections. */
  async refresh(total = this.#total) {
    this.#total = total;
    if (this.#busy) return;
    this.#busy = true;
    this.#again = false;
    try {
      const { search, sort } = Object.fromEntries(new FormData(this.#form));
      const after = this.#after === 0 ? undefined : this.#after;
      const page = await request("/connections", { search, sort, after, limit: LIMIT });
      if (!this.#again) this.#show(page);
    } catch {
      // the stream of events reports that the balancer does not answer
    } finally {
      this.#busy = false;
    }
    if (this.#again) await this.refresh();
  }

  #turn(after) {
    this.#after = after;
    this.#again = true;
    void this.refresh();
  }

  #show({ connections, next }) {
    this.#following = next;
    this.#next.disabled = next === null;
    this.#first.disabled = this.#after === 0;
    this.#shown.textContent = `${count(connections.length)} shown of ${count(this.#total)} open`;
    const rows = new Map(connections.map((connection) => {
      return [connection.conn, this.#rows.get(connection.conn) ?? this.#row(connection)];
    }));
    for (const connection of connections) this.#update(rows.get(connection.conn), connection);
    for (const [conn, row] of this.#rows) if (!rows.has(conn)) this.#remove(row);
    const body = this.#table.tBodies[0];
    for (const [place, row] of [...rows.values()].entries()) {
      if (body.children[place] !== row) body.insertBefore(row, body.children[place] ?? null);
    }
    this.#rows = rows;
  }

  /** Removes a row. If its button has the focus, that of the next row gets it. */
  #remove(row) {
    const focused = row.contains(document.activeElement);
    const neighbor = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (focused) (neighbor?.querySelector("button") ?? this.#form.elements.search).focus();
  }

  #row(connection) {
    const row = document.createElement("tr");
    const kick = element("button", "Kick", "danger");
    kick.type = "button";
    kick.setAttribute("aria-label", `Kick connection ${connection.conn}`);
    kick.addEventListener("click", () => void this.#kick(row));
    row.append(
      cell("No.", String(connection.conn), "number"),
      cell("ID", element("bdi"), "id"),
      ...["Client", "Upstream", "State"].map((label) => cell(label, "")),
      ...["Age", "Up", "Down"].map((label) => cell(label, "", "number")),
      cell("", kick, "action"),
    );
    return row;
  }

  #update(row, connection) {
    row.connection = connection;
    const { id, client, upstream, state, age_ms, bytes_up, bytes_down } = connection;
    const texts = [client, upstream ?? "–", state, duration(age_ms), bytes(bytes_up), bytes(bytes_down)];
    const bdi = row.cells[1].firstElementChild;
    const shown = id === null ? "–" : visible(id);
    if (bdi.textContent !== shown) bdi.textContent = shown;
    for (const [place, text] of texts.entries()) {
      const { [place + 2]: target } = row.cells;
      if (target.textContent !== text) target.textContent = text;
    }
  }

  async #kick(row) {
    const { conn, id, client } = row.connection;
    const who = id === null ? "a client without an ID" : `ID ${visible(id)}`;
    if (!await confirm(`Kick connection ${conn}?`, `${who}, from ${client}. It is closed at once.`, "Kick")) {
      return;
    }
    this.#onProblem();
    try {
      await request(`/connections/${conn}`, { id: id ?? undefined }, "DELETE");
    } catch (error) {
      this.#onProblem(error.message);
    }
    await this.refresh();
  }
}
