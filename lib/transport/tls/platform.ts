/** Whether this version of Deno supports TLS as Switchyard uses it. */

/** The first version whose node:tls speaks TLS over any stream. */
const NEEDED = [2, 9, 6] as const;

/** @throws Error naming the required version if `version` is older */
export function requireTls(version: string = Deno.version.deno): void {
  const found = version.split(/[.+-]/, 3).map(Number);
  for (const [index, wanted] of NEEDED.entries()) {
    const number = found[index] ?? 0;
    if (number > wanted) return;
    if (number === wanted) continue;
    throw new Error(
      `TLS needs Deno ${NEEDED.join(".")} or later, and this program runs on Deno ${version}: ` +
        "use an executable built with a later one, or end TLS in front of Switchyard",
    );
  }
}
