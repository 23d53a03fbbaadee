/** Telling whether a configuration file is mounted by itself, as containers do with `-v routes.yaml:/etc/…/routes.yaml`. */

import { dirname } from "node:path";

/** The parts of `Deno` that are asked; tests put their own in their place. */
export interface FileSystem {
  /** @default Deno.stat */
  readonly stat?: (path: string) => Promise<{ readonly dev: number }>;
  /** @default Deno.realPath */
  readonly realPath?: (path: string) => Promise<string>;
}

/**
 * The warning for a file that is a mount point itself, or undefined. Such a mount stays with the file that was there
 * when it was made: once another takes its place by renaming, the balancer would look at the old one for ever.
 *
 * It is told from its folder being on another device. A mount within one file system cannot be told without reading
 * /proc/self/mountinfo, which takes all permissions.
 */
export async function mountProblem(file: string, fs: FileSystem = {}): Promise<string | undefined> {
  const { stat = Deno.stat, realPath = Deno.realPath } = fs;
  try {
    const path = await realPath(file);
    const [own, folder] = await Promise.all([stat(path), stat(dirname(path))]);
    if (own.dev === folder.dev) return undefined;
  } catch {
    // a file or folder that cannot be looked at is told when it is read
    return undefined;
  }
  return `${file} is mounted by itself, so a file that replaces it will not be noticed: mount its folder instead`;
}
