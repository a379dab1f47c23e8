/* Tools of a picture in a stage that scrolls: zoom by buttons, keys, wheel and two fingers, pan by mouse, search. */

const STEP = 1.25, SMALLEST = 0.05, LARGEST_ZOOM = 8;
const DRAGGED = 4; // pixels that a hand may move during a click

/** The zoom of one picture. `start()` is its scale where the reader has chosen none. */
export class Zoom {
  constructor(stage, svg, start = () => this.whole()) {
    Object.assign(this, { stage, svg, start, chosen: null, fingers: new Map() });
    this.size = svg.viewBox.baseVal;
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("keydown", (event) => this.#key(event));
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) stage.addEventListener(kind, (event) => this.#pointer(event));
    stage.addEventListener("click", (event) => this.dragged && event.stopPropagation(), { capture: true });
    this.fit();
  }

  /** The scale at which the whole picture can be seen, 1 at most. */
  whole() {
    const room = getComputedStyle(this.stage), margin = parseFloat(room.paddingLeft) * 2;
    return Math.min(1, (this.stage.clientWidth - margin) / this.size.width, (this.stage.clientHeight - margin) / this.size.height);
  }

  get scale() {
    return this.svg.getBoundingClientRect().width / this.size.width;
  }

  /** Keep the scale that was chosen, or start anew: after a change of the stage's size. */
  fit() {
    this.svg.style.maxWidth = "none";
    this.svg.style.width = `${this.size.width * (this.chosen ?? this.start())}px`;
    this.stage.dispatchEvent(new Event("zoom"));
  }

  /** Set the scale; the point of the picture at x, y of the window, by default the middle, stays where it is. */
  set(scale, x, y) {
    const frame = this.stage.getBoundingClientRect(), before = this.svg.getBoundingClientRect();
    x ??= frame.left + frame.width / 2;
    y ??= frame.top + frame.height / 2;
    const [across, down] = [(x - before.left) / before.width, (y - before.top) / before.height];
    this.chosen = Math.min(Math.max(scale, SMALLEST), LARGEST_ZOOM);
    this.fit();
    const after = this.svg.getBoundingClientRect();
    this.stage.scrollBy(after.left + across * after.width - x, after.top + down * after.height - y);
  }

  /** Scroll to a card. */
  show(card) {
    const frame = this.stage.getBoundingClientRect(), box = card.getBoundingClientRect();
    this.stage.scrollBy(box.left + box.width / 2 - frame.left - frame.width / 2, box.top + box.height / 2 - frame.top - frame.height / 2);
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.set(this.scale * Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
  }

  #key(event) {
    const scales = { "+": this.scale * STEP, "=": this.scale * STEP, "-": this.scale / STEP, 0: this.start() };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in scales)) return;
    event.preventDefault();
    this.set(scales[event.key]);
  }

  #pointer(event) {
    const { type, pointerId, clientX: x, clientY: y } = event, before = this.fingers.get(pointerId);
    if (type === "pointerdown") {
      this.dragged = false;
      this.fingers.set(pointerId, { x, y, start: [x, y] });
    } else if (type !== "pointermove") this.fingers.delete(pointerId);
    else if (before && event.pointerType === "mouse" && event.buttons & 1) this.#drag(before, x, y);
    else if (before && this.fingers.size === 2) this.#pinch(before, x, y);
  }

  #drag(before, x, y) {
    this.dragged ||= Math.hypot(x - before.start[0], y - before.start[1]) > DRAGGED;
    if (this.dragged) this.stage.scrollBy(before.x - x, before.y - y);
    Object.assign(before, { x, y });
  }

  #pinch(before, x, y) {
    const [other] = [...this.fingers.values()].filter((finger) => finger !== before);
    const span = (a) => Math.hypot(a.x - other.x, a.y - other.y);
    this.set((this.scale * span({ x, y })) / Math.max(span(before), 1), (x + other.x) / 2, (y + other.y) / 2);
    Object.assign(before, { x, y });
  }
}

/** Fill a toolbar for the picture that `current()` gives; `elsewhere(text)` may bring another one with a card to find. */
export function pictureTools(bar, current, elsewhere = () => {}) {
  const shown = Object.assign(document.createElement("span"), { className: "scale" });
  const tell = () => (shown.textContent = `${Math.round(100 * (current()?.scale ?? 1))} %`); // none while it is made
  const button = (label, words, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: words });
    made.setAttribute("aria-label", label);
    made.title = label;
    made.addEventListener("click", () => { act(); tell(); });
    return made;
  };
  bar.append(
    searchBox(current, elsewhere, tell),
    button("Smaller (−)", "\u2212", () => current().set(current().scale / STEP)), shown,
    button("Larger (+)", "+", () => current().set(current().scale * STEP)),
    button("Whole picture", "\u2922", () => current().set(current().whole())),
  );
  document.addEventListener("zoom", tell, true);
  bar.hidden = false;
  tell();
  return tell;
}

/** A box that finds cards as one types; arrows go to the next one, Enter to the card itself. */
function searchBox(current, elsewhere, tell) {
  const box = Object.assign(document.createElement("input"), { type: "search", placeholder: "Find a card", autocomplete: "off" });
  const count = Object.assign(document.createElement("span"), { className: "count" });
  const label = document.createElement("label");
  box.setAttribute("aria-label", "Find a card by its name");
  label.append(box, count);
  let found = [], at = 0;
  const go = (step) => {
    found[at]?.classList.remove("match");
    at = found.length ? (at + step + found.length) % found.length : 0;
    count.textContent = box.value && (found.length ? `${at + 1}/${found.length}` : "none");
    if (!found.length) return;
    found[at].classList.add("match");
    current().show(found[at]);
    tell();
  };
  const search = async () => {
    const text = box.value;
    found[at]?.classList.remove("match");
    found = matches(current().svg, text);
    if (!found.length && text && await elsewhere(text)) {
      if (box.value !== text) return; // more was typed since, and is searched for
      found = matches(current().svg, text);
    }
    at = 0;
    go(0);
  };
  box.addEventListener("input", search);
  box.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the page around has keys of its own
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) go(steps[event.key]);
    else if (event.key === "Enter") found[at]?.focus();
    else return;
    event.preventDefault();
  });
  return label;
}

/** The cards of a picture whose name begins with a text; if there are none, those that have it in their first line. */
export function matches(svg, text) {
  const cards = [...svg.querySelectorAll("g.node:not(.again)")];
  return matching(cards.map(firstLine), text).map((k) => cards[k]);
}

/** The first line of a card: its name and its formula. */
export const firstLine = (card) => card.querySelector("title")?.textContent.split("\n")[0] ?? "";

/** The numbers of the lines that begin with a text; if there are none, of those that contain it. */
export function matching(lines, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const that = (fits) => lines.flatMap((line, k) => (fits(line.toLowerCase()) ? [k] : []));
  const begun = that((line) => line.startsWith(wanted));
  return begun.length ? begun : that((line) => line.includes(wanted));
}
