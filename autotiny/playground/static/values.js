/* The values of the names: a slider for a number, cells for an array; each with its gradient. */

import { draggable } from "./dragging.js";
import { element, notice } from "./elements.js";
import { at, entries, extent, filled, fitting, number, reshaped, rounded, shapeOf, short, withEntry } from "./numbers.js";

const REACH = 3;
const MOST_CELLS = 400;
const ROOM = { cell: 6, number: 7 }; // characters

export class Values {
  #rows = new Map();

  /** `edit(name, given, place)` gets a new {value, data}, or null to remove the name, and which entry was changed if one was. */
  constructor(container, edit) {
    this.container = container;
    this.edit = edit;
  }

  /** Show these values; rows of an unchanged kind and shape are kept, and so is the focus. */
  show(values) {
    for (const [name, row] of this.#rows) {
      if (!values[name] || row.form !== form(values[name])) this.#drop(name);
    }
    for (const [name, given] of Object.entries(values)) {
      if (!this.#rows.has(name)) this.#rows.set(name, new Row(name, given, this.edit));
      this.#rows.get(name).show(given);
    }
    const elements = Object.keys(values).map((name) => this.#rows.get(name).element);
    if (elements.some((each, i) => this.container.children[i] !== each)) this.container.replaceChildren(...elements);
  }

  showGradients(gradients) {
    for (const [name, row] of this.#rows) row.showGradient(gradients[name]);
  }

  #drop(name) {
    this.#rows.get(name).element.remove();
    this.#rows.delete(name);
  }
}

const form = ({ value, data }) => `${data} ${shapeOf(value)}`;

class Row {
  constructor(name, given, edit) {
    this.name = name;
    this.given = given;
    this.edit = edit;
    this.form = form(given);
    this.shape = shapeOf(given.value);
    this.gradient = element("span", { class: "gradient" });
    this.fields = [];
    const settings = this.#settings();
    const more = element("button", { type: "button", class: "more quiet", "aria-expanded": "false", "aria-label": `Shape and more of ${name}` }, "⋯");
    more.addEventListener("click", () => {
      settings.hidden = !settings.hidden;
      more.setAttribute("aria-expanded", String(!settings.hidden));
    });
    const heading = element("span", { class: "name", title: name }, name);
    const extent = this.shape.length ? element("span", { class: "extent" }, this.shape.join(" × ")) : null;
    this.element = element(
      "div",
      { class: `given-value ${given.data ? "data" : "variable"}`, "data-name": name },
      element("div", { class: "label" }, heading, extent),
      this.shape.length ? this.#cells() : this.#scalar(),
      this.gradient,
      more,
      settings,
    );
  }

  show(given) {
    this.given = given;
    const largest = Math.max(1, ...entries(given.value).map(Math.abs));
    for (const field of this.fields) field(given.value, largest);
  }

  showGradient(gradient) {
    this.gradient.textContent = gradient === undefined ? "" : `∂ ${extent(gradient)}`;
    for (const cell of this.element.querySelectorAll(".cell")) {
      const entry = gradient === undefined ? undefined : at(gradient, JSON.parse(cell.dataset.place));
      cell.title = entry === undefined ? "" : `gradient ${short(entry, 6)}`;
    }
  }

  #set(place, x) {
    if (Number.isFinite(x)) this.edit(this.name, { ...this.given, value: withEntry(this.given.value, place, rounded(x)) }, place);
  }

  #scalar() {
    const box = this.#number([], "number");
    if (this.given.data) return element("span", { class: "scalar" }, box);
    const slider = element("input", { type: "range", step: "0.01", "aria-label": `${this.name}, slider` });
    slider.addEventListener("input", () => this.#set([], Number(slider.value)));
    this.fields.push((value) => {
      const reach = Math.max(REACH, Math.ceil(Math.abs(value)));
      if (reach > Number(slider.max) || !slider.max || !slider.matches(":active")) [slider.min, slider.max] = [-reach, reach];
      slider.value = value;
    });
    return element("span", { class: "scalar" }, slider, box);
  }

  #cells() {
    if (entries(this.given.value).length > MOST_CELLS) return element("span", { class: "extent" }, "too many entries to show");
    const columns = this.shape.at(-1);
    const places = entries(filled(this.shape, (place) => ({ place }))).map(({ place }) => place);
    const cells = element("div", { class: "cells", role: "group", "aria-label": this.name }, ...places.map((place) => this.#number(place, "cell")));
    cells.style.gridTemplateColumns = `repeat(${columns}, auto)`;
    return cells;
  }

  #number(place, kind) {
    const label = this.name + (place.length ? `[${place.join(", ")}]` : "");
    const input = element("input", { class: kind, inputmode: "decimal", autocomplete: "off", "aria-label": label, "data-place": JSON.stringify(place) });
    input.addEventListener("input", () => {
      const x = number(input.value);
      input.setAttribute("aria-invalid", String(Number.isNaN(x)));
      this.#set(place, x);
    });
    input.addEventListener("blur", () => {
      input.removeAttribute("aria-invalid");
      input.value = fitting(at(this.given.value, place), ROOM[kind]);
    });
    input.addEventListener("focus", () => {
      input.value = at(this.given.value, place);
    });
    draggable(input, () => at(this.given.value, place), (x) => this.#set(place, x));
    this.fields.push((value, largest) => {
      const x = at(value, place);
      if (number(input.value) !== x) input.value = input.matches(":focus") ? x : fitting(x, ROOM[kind]);
      if (kind === "cell") input.style.backgroundColor = `rgba(var(--${x < 0 ? "minus" : "plus"}), ${(0.3 * Math.abs(x)) / largest})`;
    });
    return input;
  }

  #settings() {
    const shape = element("input", { type: "text", value: this.shape.join(", "), placeholder: "number", "aria-label": `Shape of ${this.name}` });
    shape.addEventListener("change", () => {
      const lengths = shape.value.replace(/[()[\]]/g, " ").split(/[\s,;×xX*]+/).filter(Boolean).map(Number);
      const fits = lengths.every((n) => Number.isInteger(n) && n > 0) && lengths.length <= 4 && lengths.reduce((a, b) => a * b, 1) <= 4096;
      shape.setAttribute("aria-invalid", String(!fits));
      if (fits) this.edit(this.name, { ...this.given, value: reshaped(this.given.value, lengths, random) });
      else notice(`“${shape.value}” is no shape: write up to four lengths, such as 2, 3, or nothing for a number; at most 4096 entries.`);
    });
    const data = element("input", { type: "checkbox" });
    data.checked = this.given.data;
    data.addEventListener("change", () => this.edit(this.name, { ...this.given, data: data.checked }));
    const fill = (label, entry) => {
      const act = () => this.edit(this.name, { ...this.given, value: filled(this.shape, entry) });
      return element("button", { type: "button", onclick: act }, label);
    };
    const remove = element("button", { type: "button", onclick: () => this.edit(this.name, null) }, "Remove");
    return element(
      "div",
      { class: "settings", hidden: true },
      element("label", {}, "shape", shape),
      element("label", { title: "Data has no gradient" }, data, "data"),
      fill("Random", random),
      fill("Zeros", () => 0),
      remove,
    );
  }
}

/** An approximately normal number with one decimal. */
const random = () => rounded([1, 2, 3, 4].reduce((sum) => sum + Math.random() - 0.5, 0) * 1.7, 1);
