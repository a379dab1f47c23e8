/* Figures in a page: each picture zooms, its cards open, and a button shows it over the whole window. */

const READABLE = 0.7; // the smallest scale at which a figure begins

for (const data of document.querySelectorAll(".closer-data")) {
  const figure = data.previousElementSibling, stage = figure.querySelector(".stage"), svg = stage.querySelector("svg");
  const large = document.createElement("dialog"), home = figure.parentElement;
  large.className = "enlarged";
  large.setAttribute("aria-label", "The graph, enlarged");
  home.append(large);
  const closer = closerOf(home, data);
  closer.watch(svg);
  const zoom = new Zoom(stage, svg, () => {
    const across = Math.min(1, stage.clientWidth / svg.viewBox.baseVal.width);
    return Math.max(large.open ? zoom.whole() : across, READABLE);
  });
  const bar = figure.querySelector(".tools"), tell = pictureTools(bar, () => zoom);
  const enlarge = Object.assign(document.createElement("button"), { type: "button", className: "enlarge", textContent: "Enlarge" });
  bar.append(enlarge);
  const settle = () => {
    zoom.chosen = null;
    zoom.fit();
    tell();
    const across = svg.viewBox.baseVal.width > svg.viewBox.baseVal.height; // it is read from the left
    stage.scrollTo(across ? 0 : (stage.scrollWidth - stage.clientWidth) / 2, 0);
  };
  enlarge.addEventListener("click", () => {
    if (large.open) return large.close();
    large.append(figure, closer.dialog);
    enlarge.textContent = "Close";
    large.showModal();
    enlarge.focus();
    settle();
  });
  large.addEventListener("close", ({ target }) => {
    if (target !== large) return;
    home.insertBefore(figure, data);
    home.append(closer.dialog);
    enlarge.textContent = "Enlarge";
    settle();
    enlarge.focus();
  });
  addEventListener("resize", () => zoom.fit());
  settle();
}
