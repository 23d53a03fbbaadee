/** The files of the dashboard. They are embedded in the executable (scripts/compile.ts). */

import { answer, HttpError } from "./http.ts";

const FOLDER = new URL("./dashboard/", import.meta.url);

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

/** The content of a path, bytes or text, read at each request. */
type Asset = readonly [read: () => Promise<BodyInit>, type: string];

const file = (name: string, type: string): Asset => [() => Deno.readFile(new URL(name, FOLDER)), type];

/** Every file, by the path under which it is served. */
const FILES: Readonly<Record<string, Asset>> = {
  "/": file("index.html", "text/html; charset=utf-8"),
  "/dashboard/style.css": file("style.css", STYLE),
  "/dashboard/controls.css": file("controls.css", STYLE),
  "/dashboard/icon.svg": file("icon.svg", "image/svg+xml"),
  "/dashboard/uplot.js": [
    async () => (await import("uplot/script", { with: { type: "text" } })).default,
    SCRIPT,
  ],
  "/dashboard/uplot.css": [
    async () => (await import("uplot/style", { with: { type: "text" } })).default,
    STYLE,
  ],
  ...Object.fromEntries(
    ["main.js", "api.js", "chart.js", "format.js", "views.js", "connections.js"]
      .map((name) => [`/dashboard/${name}`, file(name, SCRIPT)]),
  ),
};

/** The file that is served at `path`. @throws {HttpError} 404 */
export async function asset(path: string): Promise<Response> {
  const found = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (!found) throw new HttpError(404, "the dashboard has no such file");
  const [read, type] = found;
  return answer(await read(), type);
}
