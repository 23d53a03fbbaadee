import { headerOf, jsonOf, lineOf, rowsOf, type Run } from "../../../scripts/bench/report.ts";
import { assertEquals } from "../../assert.ts";

const runs = (
  mode: Run["mode"],
  figures: Readonly<Record<string, readonly Record<string, number>[]>>,
): Run[] => Object.entries(figures).flatMap(([who, ran]) => ran.map((one) => ({ mode, who, figures: one })));

const BULK = runs("bulk1", {
  switchyard: [{ per_s: 1500, cpu_us: 400 }, { per_s: 1800, cpu_us: 500 }, { per_s: 1, cpu_us: 450 }],
  against: [{ per_s: 1000, cpu_us: 900 }],
  haproxy: [{ per_s: 1000, cpu_us: 900 }],
  nginx: [{ per_s: 1200, cpu_us: 600 }],
});

Deno.test("the median of each contestant is compared with the better peer, whether more or less is better", () => {
  const [rate, cpu] = rowsOf(BULK);
  assertEquals(rate?.medians, { switchyard: 1500, against: 1000, haproxy: 1000, nginx: 1200 });
  assertEquals([rate?.ratio, cpu?.ratio], [1.25, 600 / 450]);
});

Deno.test("a change above 1 is an improvement on the other checkout", () => {
  assertEquals(rowsOf(BULK).map(({ change }) => change), [1.5, 2]);
});

Deno.test("without peers and without another checkout there is nothing to compare", () => {
  const [row] = rowsOf(runs("burst", { switchyard: [{ seconds: 0.5 }] }));
  assertEquals([row?.medians, row?.ratio, row?.change], [{ switchyard: 0.5 }, undefined, undefined]);
});

Deno.test("a row stands under its columns", () => {
  const contestants = ["switchyard", "against", "haproxy", "nginx"];
  const [row] = rowsOf(BULK);
  const header = headerOf(contestants);
  const line = row === undefined ? "" : lineOf(row, contestants);
  assertEquals(line.length, header.length);
  assertEquals(line.indexOf("1500.0") + "1500.0".length, header.indexOf("switchyard") + "switchyard".length);
});

Deno.test("the last line is one object, with figures by mode and name", () => {
  assertEquals(JSON.parse(jsonOf(rowsOf(BULK)))["bulk1.cpu_us"], {
    ratio: 1.333,
    change: 2,
    switchyard: 450,
    against: 900,
    haproxy: 900,
    nginx: 600,
  });
});
