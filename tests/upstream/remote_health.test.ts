import { Health } from "../../lib/upstream/health.ts";
import { RemoteHealth } from "../../lib/upstream/remote_health.ts";
import { Upstreams } from "../../lib/upstream/upstreams.ts";
import { assertEquals } from "../assert.ts";
import { poolOn } from "../pools.ts";

const SETTINGS = { fall: 1, rise: 1, maxFails: 1, failDuration: 1000, slowStart: 100 };

Deno.test("the decision of another thread is used, with its times on this thread's clock", () => {
  const clocks = { here: 5000, there: 70_000 };
  const decided = new Health(SETTINGS, () => clocks.there);
  const remote = new RemoteHealth(SETTINGS, () => clocks.here);
  assertEquals([remote.state, remote.share], ["up", 1]);
  decided.checked(false);
  remote.set(structuredClone(decided.view));
  assertEquals(remote.state, "down");
  decided.checked(true);
  remote.set(structuredClone(decided.view));
  clocks.here += 50;
  clocks.there += 50;
  assertEquals([remote.state, remote.share, decided.share], ["up", 0.5, 0.5]);
});

Deno.test("only dials that can change the health are reported", () => {
  const main = new Upstreams();
  const reports: (string | undefined)[] = [];
  const upstreams = new Upstreams({
    onDialed: (report) => {
      reports.push(report.problem);
      main.dialed(report);
      upstreams.useHealths(main.healths());
    },
  });
  using stack = new DisposableStack();
  stack.use(main);
  const config = { eu: poolOn([9], { max_fails: 1, fail_duration: 60_000 }) };
  main.use(main.build(config), () => Promise.resolve());
  const pools = upstreams.build(config);
  upstreams.use(pools, () => Promise.reject(new Error("no check is run here")));
  const server = pools.get("eu")?.servers[0];
  server?.record.dialed();
  assertEquals(reports, []);
  server?.record.dialed(new Error("refused"));
  assertEquals([reports, server?.state], [["refused"], "ejected"]);
  // on probation a success counts, once
  server?.record.dialed();
  server?.record.dialed();
  assertEquals(reports, ["refused", undefined]);
});
