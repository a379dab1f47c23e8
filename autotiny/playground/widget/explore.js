// An exploration in a notebook: new values go to Python, and the picture comes back. static/charts.js stands before it.

// ----- controls -----
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A slider with a number field beside it.
function sliderOf({ name, low, high, step }, changed) {
  const slider = element("input", { type: "range", min: low, max: high, step, "aria-label": name });
  const typed = element("input", { type: "number", min: low, max: high, step: "any", "aria-label": `${name}, exactly` });
  slider.addEventListener("input", () => { typed.value = slider.value; changed(); });
  typed.addEventListener("change", () => { if (typed.validity.valid && typed.value) { slider.value = typed.value; changed(); } });
  return {
    parts: [slider, typed],
    read: () => Number(typed.value),
    write: (value) => { slider.value = value; typed.value = Number(value.toPrecision(6)); },
    busy: () => slider.matches(":active") || document.activeElement === typed,
  };
}

// The cells of an array with any number of axes, a row for each index of all but the last; `changed` gets the place.
function cellsOf({ name }, changed) {
  const table = element("table", { "aria-label": name });
  let shape = [], cells = [];
  const build = (value) => {
    const rows = rowsOf(value);
    table.replaceChildren(...rows.map((row, i) => element("tr", {}, ...row.map((_, j) => {
      const cell = element("input", { type: "number", step: "0.1", "aria-label": `${name}, row ${i + 1}, column ${j + 1}` });
      cell.addEventListener("input", () => { if (cell.validity.valid || cell.validity.stepMismatch) if (cell.value) changed(placeOf(cells.indexOf(cell), shape)); });
      return element("td", {}, cell);
    }))));
    shape = shapeOf(value);
    cells = [...table.querySelectorAll("input")];
  };
  return {
    parts: [table],
    read: () => nested(cells.map((cell) => Number(cell.value)), shape),
    write: (value) => {
      if (!cells.length) build(value);
      rowsOf(value).flat().forEach((number, i) => { cells[i].value = Number(number.toPrecision(6)); });
    },
    busy: () => table.contains(document.activeElement),
  };
}

function shapeOf(value) {
  return Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : [];
}

function rowsOf(value) {
  return Array.isArray(value[0]) ? value.flatMap(rowsOf) : [value];
}

function placeOf(i, shape) {
  return shape.reduceRight(([left, place], n) => [Math.floor(left / n), [left % n, ...place]], [i, []])[1];
}

function nested(numbers, shape) {
  if (shape.length < 2) return numbers;
  const size = numbers.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nested(numbers.slice(i * size, (i + 1) * size), shape.slice(1)));
}

// ----- the picture -----
// A new page loads behind the old one and replaces it when it is ready, at the same step.
function pictureIn(room) {
  let shown = null, moment = 1e9;
  const hear = (event) => {
    if (shown && event.source === shown.contentWindow && Number.isInteger(event.data?.moment)) moment = event.data.moment;
  };
  addEventListener("message", hear);
  return {
    show(page) {
      const next = element("iframe", { sandbox: "allow-scripts", title: "The graph, step by step", class: "coming" });
      next.srcdoc = page;
      next.addEventListener("load", () => {
        next.contentWindow.postMessage({ moment }, "*");
        for (const other of [...room.querySelectorAll("iframe")]) if (other !== next) other.remove();
        next.classList.remove("coming");
        shown = next;
      });
      room.append(next);
    },
    end: () => removeEventListener("message", hear),
  };
}

// ----- the slope: the output along what was changed last, or over two numbers, and steps downhill -----
const keyOf = ({ name, place }) => (place.length ? `${name}[${place.join(", ")}]` : name);

function slopeIn(room, ask, step) {
  let along = [], past = [], shown = null;
  const [first, second] = ["Along", "And"].map((label) => element("select", { "aria-label": label }));
  const chosen = () => [first, second].map((each) => each.value && JSON.parse(each.value)).filter(Boolean);
  const choose = () => { along = chosen(); past = past.map(({ loss }) => ({ loss, point: [] })); ask(); };
  for (const each of [first, second]) each.addEventListener("change", choose);
  const rate = element("input", { type: "number", value: "0.1", step: "any", min: "0", "aria-label": "rate" });
  const down = element("button", { type: "button" }, "Step downhill");
  down.addEventListener("click", () => { if (shown && rate.value > 0) step(Number(rate.value)); });
  const tools = element("div", { class: "tools" }, "along ", first, " and ", second, down, "rate ", rate);
  const charts = element("div", { class: "charts" }), words = element("p", { class: "words", role: "status" });
  room.append(tools, charts, words);
  const offer = (entries, names) => [[first, []], [second, [element("option", { value: "" }, "nothing else")]]].forEach(([select, none], axis) => {
    select.replaceChildren(...none, ...entries.map((each) => element("option", { value: JSON.stringify(each) }, keyOf(each))));
    select.selectedIndex = Math.max(axis ? 0 : -1, [...select.options].findIndex((each) => each.textContent === names[axis]));
  });
  return {
    asked: () => ({ along, spans: shown?.spans ?? null }),
    leave: () => past.push({ loss: shown.value, point: shown.point }),
    follow(name, place) {
      past = [];
      if (!along.some((each) => keyOf(each) === keyOf({ name, place }))) along = [{ name, place }, ...along.slice(1)];
    },
    show({ chart, entries }) {
      room.hidden = !chart;
      shown = chart;
      if (!chart) return;
      offer(entries, chart.names);
      const width = Math.min(640, Math.max(320, room.clientWidth - 32)), points = past.filter(({ point }) => point.length === chart.names.length);
      const losses = [...past.map(({ loss }) => loss), chart.value];
      charts.replaceChildren(
        element("div", {}, chart.names.length === 2 ? contourChart(chart, points, width) : curveChart(chart, points, width)),
        ...(losses.length > 1 ? [element("div", {}, lossChart(losses, chart.label, width))] : []),
      );
      words.textContent = chart.words.replaceAll("-", "−");
    },
  };
}

// ----- both sides -----
function render({ model, el }) {
  let number = 0, waiting = false, again = false, pendingRate = null;
  const named = {}, slopes = {}, newer = new Set(); // controls that were changed after the last request
  const send = (step) => {
    waiting = true;
    newer.clear();
    if (step !== null) slope.leave();
    const values = Object.fromEntries(Object.entries(named).map(([name, control]) => [name, control.read()]));
    model.set("asked", { number: ++number, values, step, ...slope.asked() });
    model.save_changes();
  };
  // One request at a time: the latest values are sent next, and a step starts from their answer.
  const ask = () => { if (waiting) again = true; else send(null); };
  const stepDown = (rate) => { if (waiting) pendingRate = rate; else send(rate); };
  const sendPending = () => {
    if (again) { again = false; send(null); }
    else if (pendingRate !== null) { const rate = pendingRate; pendingRate = null; send(rate); }
  };
  const panel = element("div", { class: "panel" }), slopeRoom = element("div", { class: "slope" });
  const slope = slopeIn(slopeRoom, ask, stepDown);
  for (const description of model.get("controls")) {
    const { name, kind } = description;
    const changed = (place = []) => { newer.add(name); slope.follow(name, place); ask(); };
    const control = (kind === "slider" ? sliderOf : cellsOf)(description, changed);
    named[name] = control;
    slopes[name] = element("output");
    panel.append(element("div", { class: "control", role: "group", "aria-label": name }, element("b", {}, name), ...control.parts, slopes[name]));
  }
  const problem = element("p", { class: "problem", role: "alert" }), room = element("div", { class: "room" });
  const picture = pictureIn(room);
  const hear = () => {
    const answer = model.get("answer");
    waiting = waiting && answer.number !== number;
    problem.textContent = answer.problem;
    el.classList.toggle("failed", Boolean(answer.problem)); // the picture still shows the previous values
    if (!answer.problem) {
      for (const [name, value] of Object.entries(answer.values)) {
        if (!(name in named)) continue;
        slopes[name].textContent = answer.gradients[name];
        if (!named[name].busy() && !newer.has(name)) named[name].write(value);
      }
      slope.show(answer);
      picture.show(answer.page);
    }
    if (!waiting) sendPending();
  };
  model.on("change:answer", hear);
  el.classList.add("autotiny-explore");
  panel.addEventListener("keydown", (event) => event.stopPropagation()); // which JupyterLab would handle as commands
  el.replaceChildren(panel, problem, slopeRoom, room);
  hear();
  return () => { model.off("change:answer", hear); picture.end(); };
}

export default { render };
