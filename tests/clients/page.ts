/** The programs on docs/clients.md. */

const page = await Deno.readTextFile(new URL("../../docs/clients.md", import.meta.url));

const SECTION = /^## (.+)\n(?:(?!^## )[^])*?^```\w+\n([^]*?)^```$/gm;

/** The program of each section, by the section's heading. */
export const programs: ReadonlyMap<string, string> = new Map(
  [...page.matchAll(SECTION)].map(([, heading = "", program = ""]) => [heading, program]),
);

/** How many code blocks there are. */
export const blocks: number = [...page.matchAll(/^```\w+\n/gm)].length;
