/* The slope and descent: the loss along one value or two, and gradient descent, step by step or played. */

import { ask, Lane } from "./ask.js";
import { boundaryChart, contourChart, curveChart, lossChart } from "./charts.js";
import { element } from "./elements.js";
import { at, entries, filled, number, shapeOf } from "./numbers.js";

const FRAME = 60; // milliseconds that a step is seen for, at least
const MOST_CHOICES = 1000;
const NARROW = 320; // pixels

export class Descent {
  #along = []; // what varies: one or two {name, place}; none for what the engine chooses
  #names = "";
  #past = []; // the steps so far: {loss, point}
  #velocity = {};
  #answer = null;
  #shown = {}; // the question that the answer is about
  #expected = null; // the values that the last step led to
  #start = null; // the values before the first step
  #playing = false;
  #lane = new Lane("descent", (answer, asked) => {
    // an answer about values that a step has left meanwhile would take back what the step has drawn
    if (asked.values === this.question().values) this.#hear(answer, asked);
  });

  /** `question()` is the page's state, `apply(values)` changes its values, `set(name, place, x)` one entry; `rate` is a
      field of the page, whose number is that of the learning rate here. */
  constructor(panel, { question, apply, set, rate }) {
    Object.assign(this, { panel, question, apply, set });
    this.first = element("select", { "aria-label": "The value along which the loss is drawn" });
    this.second = element("select", { "aria-label": "A second value, for a contour" });
    for (const choice of [this.first, this.second]) choice.addEventListener("change", () => this.#choose());
    this.chart = element("div", { class: "chart-room" });
    this.words = element("p", { class: "status", role: "status" });
    this.play = element("button", { type: "button", onclick: () => (this.#playing ? this.pause() : this.#run()) }, "▶ Play");
    const step = element("button", { type: "button", onclick: () => this.#step() }, "One step");
    this.reset = element("button", { type: "button", disabled: true, onclick: () => this.#restart() }, "Back to the start");
    this.rate = element("input", { class: "number", value: rate.value, inputmode: "decimal", autocomplete: "off" });
    for (const [from, to] of [[rate, this.rate], [this.rate, rate]]) from.addEventListener("input", () => { to.value = from.value; });
    this.momentum = element("input", { class: "number", value: "0", inputmode: "decimal", autocomplete: "off" });
    this.pace = element("select", {}, ...[1, 10, 100].map((n) => element("option", { value: n }, String(n))));
    this.losses = element("div", { class: "chart-room" });
    this.boundary = element("div", { class: "chart-room" });
    panel.replaceChildren(
      element("div", { class: "descent-tools" }, element("label", {}, "along ", this.first), element("label", {}, "and ", this.second)),
      this.chart,
      this.words,
      element("div", { class: "descent-tools", role: "group", "aria-label": "Gradient descent" }, this.play, step, this.reset,
        element("label", {}, "learning rate ", this.rate), element("label", {}, "momentum ", this.momentum), element("label", {}, "steps at a time ", this.pace)),
      element("div", { class: "descent-pair" }, this.losses, this.boundary),
    );
    new ResizeObserver(() => this.#draw()).observe(panel);
  }

  /** Show the loss around the values of a question; values that no step led to begin a new descent. */
  ask(asked) {
    const { values, program, dataset } = this.#shown;
    const sameProgram = asked.program === program && asked.dataset === dataset;
    if (sameProgram && asked.values === values) return;
    if (!sameProgram || this.question().values !== this.#expected) this.#forget();
    const names = Object.keys(asked.values).join();
    if (names !== this.#names) this.#along = []; // another program: the engine chooses
    this.#names = names;
    this.#lane.ask({ ...asked, along: this.#along, spans: this.#answer?.chart?.spans });
  }

  /** Draw the loss along an entry that is being changed. */
  follow(name, place) {
    const [first, second] = this.#along;
    if ([first, second].some((each) => each && key(each) === key({ name, place }))) return;
    this.#along = second ? [{ name, place }, second] : [{ name, place }];
  }

  /** Note a step that was taken elsewhere: where from, at which loss, and where to. */
  note(before, loss, after) {
    if (before !== this.#expected) this.#forget();
    this.#start ??= before;
    this.#past.push({ loss, point: this.#along.map(({ name, place }) => (before[name] ? at(before[name].value, place) : null)) });
    this.#expected = after;
  }

  pause() {
    this.#playing = false;
    this.play.textContent = "▶ Play";
  }

  // ----- steps -----
  async #run() {
    this.#playing = true;
    this.play.textContent = "⏸ Pause";
    while (this.#playing) {
      const begun = performance.now();
      if (!(await this.#step(true)) || this.panel.hidden) this.pause();
      await new Promise((done) => setTimeout(done, Math.max(0, FRAME - (performance.now() - begun))));
    }
  }

  /** Take steps; whether to go on. */
  async #step(played = false) {
    const asked = this.question();
    if (asked.values !== this.#expected) this.#forget();
    const [rate, momentum] = [number(this.rate.value), number(this.momentum.value)];
    for (const [input, right] of [[this.rate, rate > 0], [this.momentum, momentum >= 0 && momentum < 1]]) input.setAttribute("aria-invalid", String(!right));
    if (!(rate > 0 && momentum >= 0 && momentum < 1)) return this.#say("The rate is a number above 0, the momentum one from 0 to below 1.");
    const answer = await ask("descent", {
      ...asked, along: this.#along, spans: this.#answer?.chart?.spans, steps: Number(this.pace.value), rate, momentum, velocity: this.#velocity,
    });
    if (answer.error) return this.#say(answer.error.message);
    if (played && !this.#playing) return false; // paused meanwhile
    if (this.question().values !== asked.values) return true; // changed meanwhile: the next step begins there
    this.#start ??= asked.values;
    this.#past.push(...answer.losses.map((loss, i) => ({ loss, point: answer.trail[i] ?? [null, null] })));
    this.#velocity = answer.velocity;
    this.#expected = this.apply(answer.values);
    this.#hear(answer, { ...asked, values: this.#expected, along: this.#along });
    return answer.stopped ? this.#say(answer.stopped) : answer.losses.length > 0;
  }

  #restart() {
    this.pause();
    const values = this.#start;
    this.#forget();
    if (values) this.apply(Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value])));
  }

  #forget() {
    [this.#past, this.#velocity, this.#start, this.#expected] = [[], {}, null, null];
  }

  #say(words) {
    this.words.textContent = words;
    this.words.classList.add("bad");
    return false;
  }

  // ----- what is shown -----
  #hear(answer, asked) {
    this.#shown = asked;
    if (answer.error) {
      if (asked.along.length) { this.#along = []; this.#lane.ask({ ...asked, along: [] }); return; } // what varied is gone
      this.#answer = null;
      this.chart.replaceChildren();
      this.losses.replaceChildren();
      this.boundary.replaceChildren();
      return this.#say(answer.error.message);
    }
    this.#answer = answer;
    if (!this.#along.length) this.#along = answer.along;
    this.#offer();
    this.words.classList.remove("bad");
    const arrow = answer.chart.names.length === 2 ? "; the arrow points along it, uphill" : "";
    this.words.textContent = answer.chart.words.replaceAll("-", "−") + arrow;
    this.#draw();
  }

  #draw() {
    const answer = this.#answer;
    if (!answer || this.panel.hidden) return;
    const { chart } = answer, width = Math.max(NARROW, this.chart.clientWidth);
    const points = this.#past.filter(({ point }) => point.length === chart.names.length && !point.includes(null));
    this.chart.replaceChildren(
      chart.names.length === 2 ? contourChart(chart, points, width) : curveChart(chart, points, width, (x) => this.#drag(x)),
    );
    const losses = [...this.#past.map(({ loss }) => loss), answer.loss];
    const half = Math.max(NARROW, this.losses.clientWidth);
    this.losses.replaceChildren(...(losses.length > 1 ? [lossChart(losses, chart.label, half)] : []));
    this.boundary.replaceChildren(...(answer.boundary ? [boundaryChart(answer.boundary, half), caption(answer.boundary)] : []));
    this.reset.disabled = !this.#start;
  }

  #drag(x) {
    const [first] = this.#along;
    const [low, high] = this.#answer.chart.spans[0];
    if (first && this.question().values[first.name]) this.set(first.name, first.place, Number(x.toPrecision(Math.max(3, Math.ceil(Math.log10(Math.abs(x) / (high - low) + 1)) + 3))));
  }

  /** Every entry of a variable, to choose from. */
  #offer() {
    const { values } = this.question();
    const variables = Object.entries(values).filter(([, { data }]) => !data);
    const choices = variables.flatMap(([name, { value }]) => entries(filled(shapeOf(value), (place) => ({ name, place })))).slice(0, MOST_CHOICES);
    const names = this.#answer.chart.names;
    for (const [select, none, chosen] of [[this.first, null, names[0]], [this.second, "nothing else", names[1]]]) {
      const wanted = choices.map((each) => key(each)).join();
      if (select.dataset.choices !== wanted) {
        select.dataset.choices = wanted;
        select.replaceChildren(...(none ? [element("option", { value: "" }, none)] : []), ...choices.map((each) => element("option", { value: JSON.stringify(each) }, key(each))));
      }
      const option = [...select.options].find((each) => each.textContent === chosen);
      select.selectedIndex = option ? option.index : none ? 0 : -1;
    }
  }

  #choose() {
    this.#along = [this.first, this.second].map((select) => parsed(select.value)).filter(Boolean);
    this.#past = this.#past.map(({ loss }) => ({ loss, point: [null, null] }));
    this.#lane.ask({ ...this.question(), along: this.#along });
  }
}

const key = ({ name, place }) => (place.length ? `${name}[${place.join(", ")}]` : name);
const parsed = (text) => (text ? JSON.parse(text) : null);
const caption = ({ right }) => element("p", { class: "hint" }, `${(100 * right).toFixed(1)} % of the examples are on the right side.`);
