/** Sizes of heavy tests: a part of them in the gate, all of them in `deno task soak`. */

/** Whether heavy tests run at their whole size. */
export const SOAK = Deno.env.get("SWITCHYARD_SOAK") === "1";

/** `whole` in a soak run, `share` of it otherwise. */
export function sized(whole: number, share = 0.1): number {
  return SOAK ? whole : Math.round(whole * share);
}
