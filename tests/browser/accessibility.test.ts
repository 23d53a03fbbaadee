/** Accessibility of the dashboard: roles and names, the keyboard alone, and the rules of axe. */

import axe from "axe-core";
import type { Page } from "playwright-core";
import { assert, assertEquals } from "../assert.ts";
import { until } from "../wait.ts";
import { browserTest, openDashboard, shows, startServed, withBrowser } from "./dashboard.ts";

/** Role and name of everything that matters, as the browser's accessibility tree has it. */
const TREE: readonly (readonly [role: Role, name: string | RegExp])[] = [
  ["link", "Skip to content"],
  ["heading", "Switchyard"],
  ["status", ""],
  ["button", /^Theme: /],
  ["region", "Now"],
  ["region", "The last two minutes"],
  ["img", /^Open connections: now 2$/],
  ["img", /^New connections per second: now \d+$/],
  ["img", /^Bytes per second, from clients and from upstreams: now .+\/s and .+\/s$/],
  ["table", "Pools and upstreams"],
  ["columnheader", "Health"],
  ["meter", /^share of 127\.0\.0\.1:/],
  ["table", "Refusals by reason"],
  ["search", "Search connections"],
  ["combobox", "Order"],
  ["table", "Connections"],
  ["columnheader", "Action"],
  ["button", "Kick connection 1"],
  ["navigation", "Pages of connections"],
  ["search", "Search routes"],
  ["table", "Routes"],
  ["region", "Explain"],
  ["textbox", "From address"],
  ["button", "Explain"],
];

type Role = Parameters<Page["getByRole"]>[0];

withBrowser();

browserTest("everything has a role and a name, also the dialog", async () => {
  await using served = await startServed();
  using _one = await served.admin.relayed("1");
  using _two = await served.admin.relayed("2");
  await using opened = await openDashboard(served.port);
  const { page } = opened;
  await shows(page, "#connections-shown", "2 shown of 2 open");
  await page.getByRole("img", { name: /now 2$/ }).waitFor();
  const missing = [];
  for (const [role, name] of TREE) {
    const exact = typeof name === "string";
    if (await page.getByRole(role, { name, exact }).count() === 0) missing.push(`${role} ${name}`);
  }
  assertEquals(missing, [], await page.locator("body").ariaSnapshot());
  await page.getByRole("button", { name: "Kick connection 2" }).click();
  await page.getByRole("dialog", { name: "Kick connection 2?" }).waitFor();
  assertEquals(await violations(page), []);
  await page.getByRole("button", { name: "Cancel" }).click();
});

/** What has the focus: its name, and whether it is in the dialog. */
async function focused(page: Page): Promise<{ name: string; inDialog: boolean; onPage: boolean }> {
  return await page.evaluate(`(() => {
    const { activeElement: element, body } = document;
    const name = element.getAttribute("aria-label") ?? element.textContent.trim();
    return { name, inDialog: element.closest("dialog") !== null, onPage: element !== body };
  })()`);
}

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 50; presses++) {
    await page.keyboard.press("Tab");
    if ((await focused(page)).name === name) return;
  }
  throw new Error(`50 times Tab do not lead to ${name}`);
}

browserTest(
  "a connection is kicked by keyboard alone; the dialog keeps the focus, and gives it back",
  async () => {
    await using served = await startServed();
    const { admin: { balancer } } = served;
    using _one = await served.admin.relayed("1");
    using _two = await served.admin.relayed("2");
    await using opened = await openDashboard(served.port);
    const { page } = opened;
    await shows(page, "#connections-shown", "2 shown");
    await tabTo(page, "Kick connection 1");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    assertEquals((await focused(page)).name, "Cancel");
    const names = new Set<string>();
    for (let presses = 0; presses < 6; presses++) {
      await page.keyboard.press("Tab");
      const { name, inDialog, onPage } = await focused(page);
      // between the last button and the first, the focus is in the browser's own controls
      assert(inDialog || !onPage, `${name} is behind the dialog`);
      if (inDialog) names.add(name);
    }
    assertEquals(names, new Set(["Cancel", "Kick"]));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    assertEquals([balancer.active, (await focused(page)).name], [2, "Kick connection 1"]);
    await page.keyboard.press("Enter");
    await tabTo(page, "Kick");
    await page.keyboard.press("Enter");
    await until(() => balancer.active === 1, "the connection is closed", 20_000);
    await shows(page, "#connections-shown", "1 shown");
    assertEquals((await focused(page)).name, "Kick connection 2");
    assertEquals(opened.console, []);
  },
);

/** A violation found by axe. */
interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

for (const [theme, width] of [["light", 1600], ["dark", 360]] as const) {
  browserTest(`axe finds no violation: ${theme}, ${width} pixels, with an explanation`, async () => {
    await using served = await startServed();
    using _one = await served.admin.relayed("1");
    await using opened = await openDashboard(served.port, { size: { width, height: 1000 } });
    const { page } = opened;
    await page.emulateMedia({ colorScheme: theme });
    await shows(page, "#connections-shown", "1 shown");
    await page.locator("#explain-form input[name=id]").fill("1");
    await page.keyboard.press("Enter");
    await shows(page, "#explanation", "The connection is accepted.");
    assertEquals(await violations(page), []);
  });
}

/** The violations found by axe. */
async function violations(page: Page): Promise<readonly Violation[]> {
  await page.evaluate(axe.source);
  return (await page.evaluate<{ violations: Violation[] }>("axe.run()")).violations;
}
