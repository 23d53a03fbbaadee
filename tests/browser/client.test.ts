/** A page in a real browser as a client. Its program is the one in docs/clients.md. */

import { AcceptanceServer } from "../../lib/acceptance/server.ts";
import type { Receipt } from "../../lib/acceptance/receipt.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { programs } from "../clients/page.ts";
import { CHROMIUM } from "./chromium.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { until } from "../wait.ts";
import { openPage } from "./pages.ts";

const ANYWHERE = { host: "127.0.0.1", port: 0 };

const FILES = { "/client.js": programs.get("JavaScript, WebSocket") ?? "" };

const ignore = CHROMIUM === undefined;

/** A listener that accepts WebSockets from these origins only. */
const listenersFor = (origins: readonly string[]) => [{ address: ANYWHERE, websocket: { origins } }];

/** Calls the page's client; an error becomes its message. */
function call(url: string, id: string): string {
  const answer = `import("/client.js").then(({ sendNumbers }) => sendNumbers("${url}", "${id}"))`;
  return `${answer}.catch(({ message }) => message)`;
}

Deno.test({
  name: "a page sends its ID and 1000 numbers, and the receipt agrees; a foreign page is refused with 403",
  ignore,
  fn: async () => {
    const receipts: Receipt[] = [];
    await using server = new AcceptanceServer(ANYWHERE, "receipt", {
      onReceipt: (one) => receipts.push(one),
    });
    await using page = await openPage(FILES);
    const own = configTo(server.address.port, { listeners: listenersFor([page.origin]) });
    await using balancer = startBalancer(own);
    const url = `ws://127.0.0.1:${balancer.port}/`;
    const answer = await page.evaluate<{ receipt: Receipt; agrees: boolean }>(call(url, "1"));
    assertEquals([answer.agrees, answer.receipt.id, answer.receipt.count], [true, "1", 1000]);
    assertEquals(receipts, [answer.receipt]);
    await using other = startBalancer({ ...own, listeners: listenersFor(["https://app.example.com"]) });
    const refused = await page.evaluate<string>(call(`ws://127.0.0.1:${other.port}/`, "1"));
    assertEquals(refused, "closed with 1006 before an answer came");
    await until(() => page.console.length > 0, "the browser has said why");
    assertStringIncludes(page.console.join("\n"), "Unexpected response code: 403");
    assertEquals(receipts.length, 1);
  },
});

Deno.test({
  name: "a page that is refused gets the ERROR frame, then close code 1008",
  ignore,
  fn: async () => {
    await using balancer = startBalancer(configTo(9));
    await using page = await openPage(FILES);
    const url = `ws://127.0.0.1:${balancer.port}/`;
    assertEquals(await page.evaluate(call(url, "2")), 'refused with 4: no route for ID "2"');
    const closed = await page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket("${url}", "tlv");
      socket.onopen = () => socket.send(Uint8Array.of(1, 0, 0, 0, 1, 0x32));
      socket.onclose = ({ code, wasClean }) => resolve([socket.protocol, code, wasClean]);
    })`);
    assertEquals(closed, ["tlv", 1008, true]);
  },
});
