/* Tabs: one panel at a time; the arrow keys choose the next. */

export class Tabs {
  /** `chosen(name)` is called when a panel is chosen; its id is the name. */
  constructor(list, chosen) {
    this.tabs = [...list.querySelectorAll("[role=tab]")];
    for (const tab of this.tabs) {
      tab.id = `${this.name(tab)}-tab`;
      document.getElementById(this.name(tab)).setAttribute("aria-labelledby", tab.id);
      tab.addEventListener("click", () => chosen(this.name(tab)));
      tab.addEventListener("keydown", (event) => this.#move(event, tab));
    }
  }

  name(tab) {
    return tab.getAttribute("aria-controls");
  }

  has(name) {
    return this.tabs.some((tab) => this.name(tab) === name);
  }

  show(name) {
    for (const tab of this.tabs) {
      const shown = this.name(tab) === name;
      tab.setAttribute("aria-selected", String(shown));
      tab.tabIndex = shown ? 0 : -1;
      document.getElementById(this.name(tab)).hidden = !shown;
    }
  }

  #move(event, tab) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = this.tabs.at((this.tabs.indexOf(tab) + step) % this.tabs.length);
    next.focus();
    next.click();
  }
}
