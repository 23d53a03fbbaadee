/** Colours in the output of commands: only on a terminal, and not if the environment has NO_COLOR. */

// @ts-types="./std_colors.d.ts"
import { dim, green, red, yellow } from "@std/fmt/colors";
import type { Io } from "./io.ts";

/** Colours `text` by its meaning. */
export type Paint = (tone: "good" | "bad" | "doubtful" | "aside", text: string) => string;

const TONES = { good: green, bad: red, doubtful: yellow, aside: dim } as const;

/** The colours for lines that go to the output named, or none if that is no terminal. */
export function painter({ colors }: Pick<Io, "colors">, output: "out" | "err"): Paint {
  return colors?.[output] ? (tone, text) => TONES[tone](text) : (_tone, text) => text;
}

/** Paints a line of an explanation: the answer by whether the client is refused, and its reasons faintly. */
export function explanationPainter(io: Io, isRefused: boolean): (line: string) => string {
  const paint = painter(io, "out");
  return (line) => {
    if (line.startsWith(" ")) return paint("aside", line);
    return line.startsWith("ID ") ? paint(isRefused ? "bad" : "good", line) : line;
  };
}
