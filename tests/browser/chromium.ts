import { firstThat } from "../clients/first_that.ts";

/** Path of a browser. */
export const CHROMIUM = firstThat([["/usr/bin/chromium"], ["chromium"], ["google-chrome"]], "--version")?.[0];
