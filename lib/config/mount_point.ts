/** Telling whether a configuration file is mounted by itself, as containers do with `-v routes.yaml:/etc/…/routes.yaml`. */

import { dirname } from "node:path";
import { realPathOf, statFile } from "../util/read_file.ts";

/** Questions about files; tests answer them in place of the file system. */
export interface FileSystem {
  /** @default statFile, which has a deadline */
  readonly stat?: (path: string) => Promise<{ readonly dev: number }>;
  /** @default realPathOf, which has a deadline */
  readonly realPath?: (path: string) => Promise<string>;
}

/**
 * The warning for a file that is a mount point itself, or undefined. Such a mount keeps the file that was there
 * when it was made: after another was renamed over it, the balancer would still see the old one.
 *
 * The sign is a folder on another device. A mount within one file system cannot be recognised without reading
 * /proc/self/mountinfo, which takes all permissions.
 */
export async function mountProblem(file: string, fs: FileSystem = {}): Promise<string | undefined> {
  const { stat = statFile, realPath = realPathOf } = fs;
  try {
    const path = await realPath(file);
    const [own, folder] = await Promise.all([stat(path), stat(dirname(path))]);
    if (own.dev === folder.dev) return undefined;
  } catch {
    // a file that cannot be read is reported by its reader
    return undefined;
  }
  return `${file} is mounted by itself, so a file that replaces it will not be noticed: mount its folder instead`;
}
