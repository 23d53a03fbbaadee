/** The terminal that a command draws on. */

/** The size of a terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A terminal in raw mode, until it is disposed of. */
export interface Terminal extends Disposable {
  size(): Size;
  /** Replaces the content of the screen. */
  draw(lines: readonly string[]): void;
  /** Calls `act` for each key and for each change of the size. */
  listen(act: (key: string | undefined) => void): void;
}

const USUAL: Size = { columns: 80, rows: 24 };

/** Alternate screen and hidden cursor (xterm's control sequences, DEC private modes 1049 and 25). */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** The terminal of the process; undefined if input or output is not a terminal. */
export function processTerminal(): Terminal | undefined {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return undefined;
  Deno.stdin.setRaw(true);
  write(ENTER);
  let onResize: (() => void) | undefined;
  return {
    size: () => knownSize(Deno.consoleSize()),
    draw: (lines) => write(HOME + lines.map((line) => line + CLEAR_LINE).join("\r\n") + CLEAR_BELOW),
    listen(act) {
      onResize = () => act(undefined);
      if (Deno.build.os !== "windows") Deno.addSignalListener("SIGWINCH", onResize);
      void readKeys(act);
    },
    [Symbol.dispose]() {
      if (onResize && Deno.build.os !== "windows") Deno.removeSignalListener("SIGWINCH", onResize);
      write(LEAVE);
      Deno.stdin.setRaw(false);
    },
  };
}

/** `size`, or the usual one if the terminal has none: a serial line, or one that a program has opened. */
export function knownSize({ columns, rows }: Size): Size {
  return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
}

/** The end of input counts as `q`. */
async function readKeys(act: (key: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64);
  try {
    for (let count; (count = await Deno.stdin.read(buffer)) !== null;) {
      for (const key of keysIn(decoder.decode(buffer.subarray(0, count)))) act(key);
    }
  } finally {
    act("q");
  }
}

/** The characters in the input; without keys such as arrows, whose sequences have letters in them (ECMA-48, 5.4). */
export function keysIn(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^[O]|$)/gs, "");
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}
