/** The programs on docs/clients.md. */

const page = await Deno.readTextFile(new URL("../../docs/clients.md", import.meta.url));

const SECTION = /^## (.+)\n(?:(?!^## )[^])*?^```\w+\n([^]*?)^```$/gm;

/** The program of each section, by the section's heading. */
export const programs: ReadonlyMap<string, string> = new Map(
  [...page.matchAll(SECTION)].map(([, heading = "", program = ""]) => [heading, program]),
);

/** Number of code blocks other than commands, which another test runs. */
export const blocks: number = [...page.matchAll(/^```(?!sh\n)\w+\n/gm)].length;
