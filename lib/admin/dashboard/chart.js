/** Line charts of the last two minutes, drawn by uPlot. */

import { visible } from "./format.js";

const { uPlot } = globalThis;

/** Length of the time axis, in seconds. */
const SPAN = 120;

const HEIGHT = 160;

/** Key by which uPlot shows the cursors of all charts at the same time. */
const SYNC = "dashboard";

const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");

/** A chart that follows the size and the theme of the page. */
export class Chart {
  #place;
  #name;
  #format;
  #plot;
  /** The times, and a list of samples for each series. */
  #data;

  /**
   * @param {HTMLElement} place Where it is drawn.
   * @param {string} name Read by screen readers.
   * @param {Record<string, string>} series Labels, with the custom property of their color.
   * @param {number[]} increments Steps between the lines of the scale.
   */
  constructor(place, name, series, format, increments) {
    this.#place = place;
    this.#name = name;
    this.#format = format;
    this.#data = [[], ...Object.keys(series).map(() => [])];
    this.#plot = new uPlot(
      {
        width: place.clientWidth || 320,
        height: HEIGHT,
        cursor: { drag: { x: false, y: false }, sync: { key: SYNC } },
        scales: { x: { range: () => [Date.now() / 1000 - SPAN, Date.now() / 1000] }, y: { range: rangeOf } },
        axes: [
          this.#axis({ values: (_, times) => times.map(time), space: 90, size: 28 }),
          this.#axis({
            values: (_, values) => values.map(format),
            incrs: increments,
            size: widest,
            space: 22,
          }),
        ],
        series: [
          { label: "Time", value: (_, at) => at === null ? "now" : time(at) },
          ...Object.entries(series).map(([label, color], index) => this.#series(label, color, index)),
        ],
      },
      this.#data,
      place,
    );
    new ResizeObserver(() => this.#resize()).observe(place);
  }

  /** Adds a sample to each series, or a gap if a value is undefined. */
  add(...values) {
    const now = Date.now() / 1000;
    const [times, ...series] = this.#data;
    times.push(now);
    for (const [index, samples] of series.entries()) samples.push(values[index] ?? null);
    while (times[0] < now - SPAN) for (const samples of this.#data) samples.shift();
    this.#plot.setData(this.#data);
    const latest = this.#data.slice(1).map((samples) => this.#format(samples.at(-1) ?? 0));
    this.#place.setAttribute("aria-label", `${this.#name}: now ${latest.join(" and ")}`);
  }

  /** Redraws it in the colors of the theme. */
  draw() {
    this.#plot.redraw(false);
  }

  #resize() {
    const { clientWidth: width } = this.#place;
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
  }

  #axis(more) {
    const line = { stroke: () => this.#color("--line"), width: 1 };
    const font = "12px system-ui, sans-serif";
    return { stroke: () => this.#color("--muted"), grid: line, ticks: { show: false }, font, ...more };
  }

  #series(label, property, index) {
    return {
      label: visible(label),
      stroke: () => this.#color(property),
      // where two lines coincide, both stay visible
      width: 2 * (this.#data.length - 1 - index),
      points: { show: false },
      value: (_plot, value, series, at) => {
        const shown = at === null ? this.#data[series].at(-1) : value;
        return shown === null || shown === undefined ? "–" : this.#format(shown);
      },
    };
  }

  /** The color of a custom property, resolved for the canvas, which does not support `light-dark()`. */
  #color(property) {
    const probe = this.#place.querySelector(".probe") ?? this.#place.appendChild(document.createElement("i"));
    probe.className = "probe";
    probe.hidden = true;
    probe.style.color = `var(${property})`;
    return getComputedStyle(probe).color;
  }
}

/** Width of the labels of a scale, in pixels. */
function widest(_plot, labels) {
  return 16 + 7 * Math.max(3, ...(labels ?? []).map(({ length }) => length));
}

/** The range of a scale: from 0 to a fifth more than the largest value. */
function rangeOf(_plot, _least, most) {
  return [0, Math.max(most ?? 0, 4) * 1.2];
}
