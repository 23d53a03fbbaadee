/** The files of the dashboard. They are embedded in the executable (scripts/compile.ts). */

import { answer, HttpError } from "./http.ts";

const FOLDER = new URL("./dashboard/", import.meta.url);

/** Every file, by the path under which it is served. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/dashboard/style.css": ["style.css", "text/css; charset=utf-8"],
  "/dashboard/icon.svg": ["icon.svg", "image/svg+xml"],
  ...Object.fromEntries(
    ["main.js", "api.js", "chart.js", "format.js", "views.js", "connections.js"].map((name) => {
      return [`/dashboard/${name}`, [name, "text/javascript; charset=utf-8"]];
    }),
  ),
};

/** The file that is served at `path`. @throws {HttpError} 404 */
export async function asset(path: string): Promise<Response> {
  const found = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (!found) throw new HttpError(404, "the dashboard has no such file");
  const [file, type] = found;
  return answer(await Deno.readFile(new URL(file, FOLDER)), type);
}
