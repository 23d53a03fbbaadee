/** Line charts of the last two minutes. */

/** Samples, one a second. */
const SAMPLES = 120;

const LEFT = 58;
const TOP = 8;
const BOTTOM = 18;

/** A chart on a canvas that follows the size and the theme of the page. */
export class Chart {
  #canvas;
  #colors;
  #format;
  #steps;
  #series;

  /**
   * @param {string[]} colors Custom properties of the page's style, one for each series.
   * @param {number[]} steps From each end of the scale to the next, repeated.
   */
  constructor(canvas, colors, format, steps = [2, 2.5, 2]) {
    this.#canvas = canvas;
    this.#colors = colors;
    this.#format = format;
    this.#steps = steps;
    this.#series = colors.map(() => []);
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Adds a sample of each series; null is a gap. */
  add(...values) {
    for (const [index, samples] of this.#series.entries()) {
      samples.push(values[index] ?? null);
      if (samples.length > SAMPLES) samples.shift();
    }
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width === 0) return;
    const ratio = globalThis.devicePixelRatio;
    this.#canvas.width = width * ratio;
    this.#canvas.height = height * ratio;
    const context = this.#canvas.getContext("2d");
    context.scale(ratio, ratio);
    const most = niceMost(Math.max(0, ...this.#series.flat()), this.#steps);
    this.#axes(context, width, height, most);
    const style = getComputedStyle(this.#canvas);
    for (const [index, samples] of this.#series.entries()) {
      context.strokeStyle = resolved(style, this.#colors[index]);
      // where two lines are one, both are seen
      context.lineWidth = 2 * (this.#series.length - index);
      this.#line(context, samples, { width, height, most });
    }
  }

  /** A sentence about the chart, for who cannot see it. */
  describe(name) {
    const last = this.#series.map((samples) => this.#format(samples.at(-1) ?? 0)).join(" and ");
    this.#canvas.setAttribute("aria-label", `${name}: now ${last}`);
  }

  #axes(context, width, height, most) {
    const style = getComputedStyle(this.#canvas);
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = resolved(style, "--muted");
    context.strokeStyle = resolved(style, "--line");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const part of [0, 0.5, 1]) {
      const y = Math.round(TOP + (height - TOP - BOTTOM) * (1 - part)) + 0.5;
      context.beginPath();
      context.moveTo(LEFT, y);
      context.lineTo(width, y);
      context.stroke();
      context.fillText(this.#format(most * part), LEFT - 8, y);
    }
    context.textBaseline = "alphabetic";
    context.fillText("now", width, height - 3);
    context.textAlign = "left";
    context.fillText("2 min ago", LEFT, height - 3);
  }

  #line(context, samples, { width, height, most }) {
    context.lineJoin = "round";
    context.beginPath();
    let drawing = false;
    for (const [index, value] of samples.entries()) {
      const x = width - 1 - (samples.length - 1 - index) * (width - LEFT) / (SAMPLES - 1);
      if (value === null) drawing = false;
      else {
        const y = TOP + (height - TOP - BOTTOM) * (1 - value / most);
        if (drawing) context.lineTo(x, y);
        else context.moveTo(x, y);
        drawing = true;
      }
    }
    context.stroke();
  }
}

/** `light-dark()` and the like as a color that a canvas knows. */
function resolved(style, property) {
  const probe = resolved.probe ??= document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  probe.style.color = `var(${property})`;
  return style && getComputedStyle(probe).color;
}

/** The least product of the repeated `steps` that is not below `value`: of 2, 2.5 and 2 these are 2, 5, 10, 20 and so on. */
function niceMost(value, steps) {
  let most = steps[0];
  for (let step = 1; most < value; step++) most *= steps[step % steps.length];
  return most;
}
