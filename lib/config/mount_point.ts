/** Detects a configuration file that is mounted by itself, as by `-v routes.yaml:/etc/…/routes.yaml` of a container. */

import { dirname } from "node:path";
import { realPathOf, statFile } from "../util/read_file.ts";

/** Access to the file system; tests replace it. */
export interface FileSystem {
  /** @default statFile, which has a deadline */
  readonly stat?: (path: string) => Promise<{ readonly dev: number }>;
  /** @default realPathOf, which has a deadline */
  readonly realPath?: (path: string) => Promise<string>;
}

/**
 * The warning for a file that is itself a mount point, or undefined. Such a mount keeps the original file: after another
 * one is renamed over it, the balancer still sees the old one.
 *
 * It is detected by a folder on another device. A mount within one file system can only be recognised in
 * /proc/self/mountinfo, which takes all permissions to read.
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
