/* Look closer: a dialog with the entries of a value and its gradient, and the chain rule of the entry that is picked. */

const DIGITS = 5;
const MINUS = "\u2212";

const ENTRY = "td[data-entry]";

/** Makes the cards of pictures buttons that open the dialog. `find(id)` gives a card's data, or promises it; `knows(id)`
 * says whether there is any. */
export class Closer {
  constructor(host, find, knows = () => true) {
    this.find = find;
    this.knows = knows;
    this.offers = () => ({}); // further buttons for a card: their words, and what they do once the dialog is closed
    this.dialog = make("dialog", { class: "closer", "data-lm-suppress-shortcuts": "true" });
    host.append(this.dialog);
    this.dialog.addEventListener("click", (event) => this.#click(event));
    this.dialog.addEventListener("keydown", (event) => this.#key(event));
    this.dialog.addEventListener("pointerover", ({ target }) => this.#name(target.closest(ENTRY) ?? this.picked));
    this.dialog.addEventListener("focusin", ({ target }) => target.matches(ENTRY) && this.#pick(target));
  }

  /** Let the cards of a picture be opened by pointer and by keyboard. */
  watch(svg) {
    svg.setAttribute("role", "group"); // an image hides what is in it
    for (const card of svg.querySelectorAll("g.node:not([data-opens])")) {
      if (!this.knows(idOf(card))) continue;
      const name = card.querySelector("title")?.textContent.split("\n")[0];
      for (const [key, value] of Object.entries({ tabindex: 0, role: "button", "aria-haspopup": "dialog", "data-closer": "" })) card.setAttribute(key, value);
      if (name) card.setAttribute("aria-label", `${name}, ${card.classList.contains("group") ? "its contents" : "entry by entry"}`);
    }
    svg.addEventListener("click", ({ target }) => this.#opens(target));
    svg.addEventListener("keydown", (event) => {
      if ((event.key === "Enter" || event.key === " ") && this.#opens(event.target)) event.preventDefault();
    });
  }

  #opens(target) {
    const card = target.closest("[data-closer]");
    if (card) this.open(idOf(card));
    return card;
  }

  /** Show a card. */
  async open(id) {
    const data = await this.find(id);
    if (!data) return;
    this.data = data;
    this.id = id;
    this.dialog.setAttribute("aria-label", `${data.name}, ${data.members ? "its contents" : "entry by entry"}`);
    this.dialog.replaceChildren(...(data.members ? this.#group() : this.#content()));
    if (!this.dialog.open) this.dialog.showModal();
    if (data.members) return this.dialog.querySelector(".link")?.focus();
    this.dialog.scrollTop = 0;
    this.dialog.querySelectorAll(ENTRY)[this.#largest()]?.focus();
  }

  /** The entry to begin with: where the gradient is largest. */
  #largest() {
    const size = (i) => Math.abs(Number(pick(this.data.gradient ?? 0, i))) || 0;
    let best = 0;
    for (let i = 1; i < this.entries.length; i += 1) if (size(i) > size(best)) best = i;
    return best;
  }

  // ----- the dialog -----
  #header(title) {
    const close = make("button", { type: "button", class: "close", "aria-label": "Close" }, "\u00d7");
    close.addEventListener("click", () => this.dialog.close());
    const offers = Object.entries(this.offers(this.id)).map(([words, act]) => this.#offer(words, act));
    return make("header", {}, title, ...offers, close);
  }

  /** A closed group: what it holds, each with a way to look closer. */
  #group() {
    const { name, members, more } = this.data;
    const lines = members.map(([card, label, origin, value, gradient = ""]) => {
      const first = make("td", {}, this.#link({ card, name: label }), origin ? ` ${label && !origin.startsWith("\u229e") ? "= " : ""}${minus(origin)}` : "");
      return make("tr", {}, first, make("td", { class: "value" }, value), make("td", { class: "gradient" }, gradient));
    });
    const head = make("tr", {}, ...["", "value", "gradient"].map((words) => make("th", { scope: "col" }, words)));
    const rest = more ? [make("p", { class: "note" }, `and ${more} more`)] : [];
    return [this.#header(make("h2", {}, make("b", {}, name))), make("div", { class: "terms" }, make("table", {}, make("tbody", {}, head, ...lines))), ...rest];
  }

  #content() {
    const { name, formula, shape } = this.data;
    const title = make("h2", {}, make("b", {}, name), formula ? ` = ${minus(formula)}` : "", shape.length ? make("small", {}, ` shape ${shape.join(" \u00d7 ")}`) : "");
    this.readout = make("p", { class: "readout" });
    this.rule = make("section", { class: "rule", tabindex: 0 });
    const side = make("div", { class: "side" }, this.readout, this.rule);
    return [this.#header(title), ...this.#notes(), make("div", { class: "halves" }, this.#table(), side)];
  }

  #offer(words, act) {
    const button = make("button", { type: "button", class: "offer" }, words);
    button.addEventListener("click", () => {
      this.dialog.close();
      act();
    });
    return button;
  }

  #notes() {
    const { shape, rows, columns, missing, of } = this.data;
    const width = shape.at(-1) ?? 1, height = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const cut = rows !== undefined && `An excerpt: ${rows < height ? `the first ${rows} of ${height} rows, ` : ""}${columns < width ? `the first ${columns} of ${width} columns, ` : ""}${rows * columns} of ${width * height} entries.`;
    const none = missing && `There is no gradient yet: call ${of}.backward().`;
    return [cut, none].filter(Boolean).map((words) => make("p", { class: "note" }, words));
  }

  #table() {
    const { shape, value, gradient, name } = this.data;
    const width = shape.at(-1) ?? 1, columns = this.data.columns ?? width;
    const rows = this.data.rows ?? shape.slice(0, -1).reduce((a, b) => a * b, 1);
    this.columns = columns;
    this.entries = Array.from({ length: rows * columns }, (_, i) => Math.floor(i / columns) * width + (i % columns));
    const head = shape.length && make("tr", {}, make("th", {}), ...this.entries.slice(0, columns).map((_, c) => make("th", { scope: "col" }, c)));
    const lines = Array.from({ length: rows }, (_, r) => {
      const label = shape.length > 1 ? `${place(r * width, shape).slice(0, -1).join(", ")}` : "";
      const cells = this.entries.slice(r * columns, (r + 1) * columns).map((_, c) => this.#cell(r * columns + c, value, gradient));
      return make("tr", {}, shape.length ? make("th", { scope: "row" }, label) : "", ...cells);
    });
    const caption = gradient === undefined ? "values" : "values, and gradients below them";
    const table = make("table", { role: "grid", "aria-label": `${name}: ${caption}` }, make("tbody", {}, head || "", ...lines));
    return make("div", { class: "entries" }, table);
  }

  #cell(i, value, gradient) {
    const cell = make("td", { tabindex: -1, role: "gridcell", "data-entry": i }, make("span", { class: "value" }, number(pick(value, i))));
    if (gradient !== undefined) cell.append(make("span", { class: "gradient" }, number(pick(gradient, i))));
    cell.setAttribute("aria-label", this.#words(i));
    return cell;
  }

  #label(i, { name, shape } = this.data, entry = this.entries[i]) {
    return shape.length ? `${name}[${place(entry, shape).join(", ")}]` : name;
  }

  #words(i) {
    const { value, gradient, of } = this.data, label = this.#label(i);
    const slope = gradient === undefined ? "" : `, \u2202${of}/\u2202${label} = ${number(pick(gradient, i))}`;
    return `${label} = ${number(pick(value, i))}${slope}`;
  }

  // ----- an entry -----
  #name(cell) {
    if (cell) this.readout.textContent = cell.getAttribute("aria-label");
  }

  #pick(cell) {
    if (this.picked?.isConnected) {
      this.picked.tabIndex = -1;
      this.picked.removeAttribute("aria-selected");
    }
    this.picked = cell;
    cell.tabIndex = 0;
    cell.setAttribute("aria-selected", "true");
    this.#name(cell);
    const i = Number(cell.dataset.entry);
    this.rule.setAttribute("aria-label", `The chain rule of ${this.#label(i)}`);
    this.rule.replaceChildren(...this.#chainRule(i));
  }

  #chainRule(i) {
    const { of, gradient, uses, seed, earlier, others } = this.data;
    if (gradient === undefined) return [];
    const label = this.#label(i), total = number(pick(gradient, i)), slope = `\u2202${of}/\u2202${label}`;
    if (seed) return [make("p", {}, `Backprop starts here: ${slope} = ${total}.`)];
    const ways = uses.map((use) => this.#way(use, i, label, of));
    if (others) ways.push({ sum: pick(others.contribution, i), shown: make("p", {}, `${others.count} more uses contribute ${number(pick(others.contribution, i))} together.`) });
    const sum = ways.map(({ sum }) => signed(sum)).join(" ").replace(/^\+ /, "");
    const more = earlier ? `; with every backward so far, ${total}` : "";
    const result = earlier ? number(round(ways.reduce((a, { sum }) => a + Number(sum), 0))) : total;
    const chain = ways.length > 1 ? sum : `${ways[0]?.terms > 1 ? "\u03a3 " : ""}\u2202${of}/\u2202${uses[0]?.name} \u00b7 \u2202${uses[0]?.name}/\u2202${label}`;
    const equation = `${slope} = ${chain} = ${result}${more}`;
    return [make("h3", {}, ways.length ? equation : `${slope} = ${total}, which no use of it contributed.`), ...ways.map(({ shown }) => shown)];
  }

  /** What one use contributes to an entry: its sum, and the terms that it is made of. */
  #way(use, i, label, of) {
    const count = pick(use.counts, i) ?? -1, sum = pick(use.contribution ?? this.data.gradient, i);
    const shown = make("div", { class: "way" }, make("p", {}, "Through ", this.#link(use), ` = ${minus(use.formula)}`, use.past ? `, in one go (${use.past})` : "", use.rule && use.rule !== use.g ? `: its rule turns ${use.g} = \u2202${of}/\u2202${use.name} into ${minus(use.rule)}` : ""));
    if (count < 0) {
      shown.append(make("p", {}, `It contributes ${number(sum)}, of which the terms are not in this page.`));
      return { shown, sum };
    }
    const terms = this.#terms(use, i, count), rest = use.rest?.[i];
    const head = [`entry of ${use.name}`, `\u2202${of}/\u2202${use.name}`, `\u2202${use.name}/\u2202${label}`, "product"];
    const rows = terms.map(({ at, arriving, slope, product }) => [this.#label(0, use, at), number(arriving), `\u00d7 ${number(slope)}`, `= ${number(product)}`]);
    if (rest) rows.push([`${rest[0]} smaller ones`, "", "", `= ${number(rest[1])}`]);
    if (rows.length > 1) rows.push(["sum", "", "", `= ${number(sum)}`]);
    if (rows.length) shown.append(tableOf(head, rows));
    else shown.append(make("p", {}, "Nothing arrives this way: 0."));
    return { shown, sum, terms: rows.length };
  }

  #link({ name, card }) {
    if (!this.knows(card)) return make("b", {}, name);
    return make("button", { type: "button", class: "link", "data-card": card }, name);
  }

  #terms(use, i, count) {
    let start = 0;
    if (Array.isArray(use.counts)) for (const n of use.counts.slice(0, i)) start += Math.max(n, 0);
    else start = i * count;
    return Array.from({ length: count }, (_, n) => {
      const arriving = Number(pick(use.arriving, start + n)), slope = Number(pick(use.slopes, start + n));
      const at = use.places ? use.places[start + n] : this.entries[i];
      return { at, arriving, slope, product: round(arriving * slope) };
    });
  }

  // ----- events -----
  #click({ target, clientX, clientY }) {
    const link = target.closest("[data-card]"), box = this.dialog.getBoundingClientRect();
    if (link) this.open(link.dataset.card);
    else if (target.closest(ENTRY)) target.closest(ENTRY).focus();
    else if (target === this.dialog && (clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom)) this.dialog.close();
  }

  #key(event) {
    event.stopPropagation(); // the page around has keys of its own
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, Home: -Infinity, End: Infinity };
    if (!event.target.matches(ENTRY) || !(event.key in moves)) return;
    event.preventDefault();
    const cells = [...this.dialog.querySelectorAll(ENTRY)], now = Number(event.target.dataset.entry), move = moves[event.key];
    const row = Math.floor(now / this.columns) * this.columns;
    const to = Number.isFinite(move) ? now + move : (event.ctrlKey ? 0 : row) + (move < 0 ? 0 : event.ctrlKey ? cells.length - 1 : this.columns - 1);
    cells[to]?.focus();
  }
}

/** A Closer with the data that an element of the page holds. */
export function closerOf(host, element) {
  const { cards, aliases, groups } = JSON.parse(element.textContent);
  const find = (id) => groups[id] ?? cards[aliases[id] ?? id];
  return new Closer(host, find, (id) => Boolean(find(id)));
}

// ----- helpers -----
const idOf = (card) => [...card.classList].find((name) => /^[ns]\d+$/.test(name)); // the same for a name used again
const pick = (list, i) => (Array.isArray(list) ? list[i] : list);
const round = (x) => Number(x.toPrecision(DIGITS));
const minus = (text) => String(text).replace(/-/g, MINUS);
const number = (x) => minus(typeof x !== "number" ? x : x && (Math.abs(x) >= 1e6 || Math.abs(x) < 1e-4) ? round(x).toExponential() : round(x));
const signed = (x) => (Number(x) < 0 ? `${MINUS} ${number(-x)}` : `+ ${number(x)}`);

/** The index of an entry, from its place in C order. */
function place(entry, shape) {
  const index = [];
  for (const length of [...shape].reverse()) {
    index.unshift(entry % length);
    entry = Math.floor(entry / length);
  }
  return index;
}

function tableOf(head, rows) {
  const cells = (kind, texts) => make("tr", {}, ...texts.map((text) => make(kind, kind === "th" ? { scope: "col" } : {}, text)));
  return make("div", { class: "terms" }, make("table", {}, make("tbody", {}, cells("th", head), ...rows.map((row) => cells("td", row)))));
}

function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
