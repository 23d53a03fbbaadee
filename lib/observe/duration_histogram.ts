/** Histograms for prom-client whose counts come from elsewhere. */

import { Histogram, type Registry } from "prom-client";
import { BOUNDS, type Durations } from "./counters.ts";

/** Name and description of a metric, and where it is registered. */
export interface DurationHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly registers: Registry[];
}

/** A histogram that is set as a whole: prom-client's own takes one observation at a time. */
export class DurationHistogram extends Histogram {
  /** Shown at the next scrape. */
  durations: Durations | undefined;
  readonly #options: DurationHistogramOptions;

  constructor(options: DurationHistogramOptions) {
    super(options);
    this.#options = options;
  }

  /** Overrides the method that the registry uses for its text, which prom-client's types lack. */
  getForPromString() {
    const { name, help } = this.#options;
    const { buckets, sum } = this.durations ?? { buckets: [], sum: 0 };
    let count = 0;
    const values = [...BOUNDS, "+Inf"].map((le, bucket) => {
      count += buckets[bucket] ?? 0;
      return { labels: { le }, value: count, metricName: `${name}_bucket` };
    });
    const totals = [
      { labels: {}, value: sum, metricName: `${name}_sum` },
      { labels: {}, value: count, metricName: `${name}_count` },
    ];
    return Promise.resolve({ name, help, type: "histogram", values: [...values, ...totals] });
  }
}
