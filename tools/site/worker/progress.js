/* A bar at the top of the page while Python is loaded. */

export class Progress {
  constructor() {
    this.bar = document.createElement("progress");
    this.bar.id = "loading";
    this.bar.max = 1;
    this.bar.setAttribute("aria-label", "Loading Python, NumPy and Graphviz into this page");
    this.words = document.createElement("p");
    this.words.id = "loading-words";
    this.words.setAttribute("role", "status");
    document.body.prepend(this.bar, this.words);
    this.show(0);
  }

  show(part) {
    const words = part < 1 ? "Loading Python into this page …" : "Starting Python …";
    this.bar.value = Math.min(part, 1);
    if (this.words.textContent !== words) this.words.textContent = words; // read aloud once
  }

  end() {
    this.bar.remove();
    this.words.remove();
  }
}
