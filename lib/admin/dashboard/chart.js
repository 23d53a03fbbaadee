/** Line charts of the last two minutes, drawn by uPlot. */

import { visible } from "./format.js";

const { uPlot } = globalThis;

/** Length of the time axis, in seconds. */
const SPAN = 120;

const HEIGHT = 160;

/** The cursor is at the same moment in all of them. */
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
   * @param {string} name For who cannot see it.
   * @param {Record<string, string>} series The custom property with the color of each, by its label.
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

  /** Adds a sample of each series; a gap where there is none. */
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

  /** Draws it anew, in the colors of the theme. */
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
      // where two lines are one, both are seen
      width: 2 * (this.#data.length - 1 - index),
      points: { show: false },
      value: (_plot, value, series, at) => {
        const shown = at === null ? this.#data[series].at(-1) : value;
        return shown === null || shown === undefined ? "–" : this.#format(shown);
      },
    };
  }

  /** `light-dark()` and the like as a color that a canvas knows. */
  #color(property) {
    const probe = this.#place.querySelector(".probe") ?? this.#place.appendChild(document.createElement("i"));
    probe.className = "probe";
    probe.hidden = true;
    probe.style.color = `var(${property})`;
    return getComputedStyle(probe).color;
  }
}

/** Room for the labels of a scale, in pixels. */
function widest(_plot, labels) {
  return 16 + 7 * Math.max(3, ...(labels ?? []).map(({ length }) => length));
}

/** From 0, with a fifth of the height free. */
function rangeOf(_plot, _least, most) {
  return [0, Math.max(most ?? 0, 4) * 1.2];
}
