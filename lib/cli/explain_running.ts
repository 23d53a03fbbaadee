/** `switchyard explain --admin`: the same answer from a running balancer. */

import type { LiveExplanation } from "../admin/explain.ts";
import { REFUSAL_CODES } from "../errors.ts";
import type { HostPort } from "../config/config.ts";
import { plain, quote } from "../util/text.ts";
import { adminObject } from "./admin_client.ts";
import { explanationPainter } from "./colors.ts";
import type { Io } from "./io.ts";

/** The question. */
export interface Question {
  readonly id: string;
  readonly from: string | undefined;
  readonly json: boolean;
}

/** Prints the answer of the balancer at `at`. Exit status 1 if the client would be refused. */
export async function explainRunning(at: HostPort, { id, from, json }: Question, io: Io): Promise<number> {
  const query = new URLSearchParams({ id, ...(from === undefined ? {} : { from }) });
  const answer = await adminObject(at, `/api/v1/explain?${query}`);
  // the balancer is of this version, or of one that has these fields
  const explanation = answer as unknown as LiveExplanation;
  if (json) io.out(JSON.stringify(explanation));
  else {
    const paint = explanationPainter(io, explanation.refused !== null);
    for (const line of explanationLines(explanation)) io.out(paint(plain(line)));
  }
  return explanation.refused ? 1 : 0;
}

function* explanationLines({ id, refused, rules, candidates, from }: LiveExplanation): Generator<string> {
  if (from) yield `from ${from.address}: ${from.refused ? rejection(from.refused) : "admitted"}`;
  for (const check of from?.checks ?? []) yield `  ${check}`;
  if (refused) yield `ID ${quote(id)}: ${rejection(refused)}`;
  else yield `ID ${quote(id)}: accepted`;
  for (const { rule, target, verdict } of rules) yield `  ${rule} -> ${target}: ${verdict}`;
  for (const { upstream, tried, why } of candidates) {
    yield `  ${upstream}: ${tried ? "candidate" : "not tried"}: ${why}`;
  }
}

function rejection({ reason, why }: NonNullable<LiveExplanation["refused"]>): string {
  return `the client gets ${reason} (${REFUSAL_CODES[reason]}): ${why}`;
}
