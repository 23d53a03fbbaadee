/** `tables`: files with many IDs. */

import * as v from "valibot";
import { filePath } from "./fields.ts";

/** The files. `tsv.ts` checks their content. */
export const tablesSchema = v.optional(
  v.pipe(
    v.array(
      filePath("Tab-separated file: on each line an ID, a host and a port, or an ID and the name of a pool."),
      "a list of files, such as [devices.tsv]",
    ),
    v.description("Files with any number of further IDs, looked up after those of routes and before globs."),
  ),
  [],
);
