/** Parameters of requests: declared once, for reading them and for the OpenAPI document. */

import { nearest, quote } from "../util/text.ts";
import { HttpError } from "./http.ts";

/** One parameter of a query. */
export interface Parameter {
  readonly type: "integer" | "string";
  readonly description: string;
  readonly required?: boolean;
  /** The words that it may be. */
  readonly choices?: readonly string[];
  /** Of an integer. @default 0 */
  readonly least?: number;
  /** Of an integer. @default 9007199254740991 */
  readonly most?: number;
}

/** Parameters by name. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** The values that were given. */
export interface Values {
  text(name: string): string | undefined;
  number(name: string): number | undefined;
}

/** Parses `given` as declared. @throws {HttpError} 400 that names the parameter */
export function readParameters(given: Iterable<[string, string]>, declared: Parameters): Values {
  const values = new Map<string, string>();
  for (const [name, value] of given) {
    const parameter = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (!parameter) throw new HttpError(400, unknown(name, declared));
    if (values.has(name)) throw new HttpError(400, `parameter ${name}: given more than once`);
    const wrong = problem(value, parameter);
    if (wrong !== undefined) throw new HttpError(400, `parameter ${name}: ${quote(value)} is not ${wrong}`);
    values.set(name, value);
  }
  for (const [name, { required }] of Object.entries(declared)) {
    if (required && !values.has(name)) throw new HttpError(400, `parameter ${name}: missing`);
  }
  const number = (name: string) => values.has(name) ? Number(values.get(name)) : undefined;
  return { text: (name) => values.get(name), number };
}

function unknown(name: string, declared: Parameters): string {
  const near = nearest(name, Object.keys(declared));
  return `unknown parameter ${quote(name)}${near === undefined ? "" : `; did you mean ${near}?`}`;
}

/** The description of the expected value; undefined if `value` is valid. */
function problem(value: string, parameter: Parameter): string | undefined {
  const { type, choices, least = 0, most = Number.MAX_SAFE_INTEGER } = parameter;
  if (choices && !choices.includes(value)) return `one of ${choices.join(", ")}`;
  if (type === "string") return undefined;
  const number = /^\d{1,16}$/.test(value) ? Number(value) : NaN;
  return number >= least && number <= most ? undefined : `a whole number, ${least} to ${most}`;
}
