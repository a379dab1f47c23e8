const player = document.querySelector(".player");
const slider = player.querySelector("input[type=range]"), output = player.querySelector("output");
const announced = player.querySelector(".announced"), play = player.querySelector("[data-go=play]");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const MILLISECONDS = 2200, LARGEST = 1.8, SMALLEST_FIT = 0.85;
const roots = {}; // by name, the element of each view
const views = {}; // by name, what is in it, or the promise of it
let view, now = 0, timer = 0, wanted;

// ----- the content of the page -----
// Returns a view, which is unpacked and read when it is first asked for.
function viewOf(name) {
  views[name] ??= unpacked(roots[name]).then(readView);
  return views[name];
}

async function unpacked(root) {
  if ("packed" in root.dataset) {
    const bytes = Uint8Array.from(atob(root.textContent), (character) => character.charCodeAt(0));
    root.innerHTML = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  }
  return root;
}

// Notes the step in which each card is computed, its gradient begins, and each edge passes a contribution on.
function readView(root) {
  const steps = [...root.querySelectorAll(".steps > li")];
  const computed = {}, graded = {}, passed = {};
  steps.forEach((step, k) => {
    const { active, receiver, edge, pass } = step.dataset;
    if (pass === "forward") computed[active] = k;
    else graded[receiver] ??= k;
    if (edge) passed[edge] = k;
  });
  const named = (kind) => [...root.querySelectorAll(`.stage g.${kind}`)].map((group) => [group, group.classList.item(group.classList.length - 1)]);
  const nodes = named("node").map(([group, name]) => [group, name, gradientOf(group)]), edges = named("edge");
  const stage = root.querySelector(".stage"), svg = stage.querySelector("svg");
  root.querySelector(".steps").classList.add("one");
  nodes.forEach(([group, name]) => letOpen(group, name));
  closer.watch(svg);
  const turn = steps.findIndex((step) => step.dataset.pass === "backward");
  return { root, stage, svg, size: svg.viewBox.baseVal, steps, computed, graded, passed, nodes, edges, turn };
}

// Makes the card of a group a button that opens it; a line has a value, which opens first.
function letOpen(group, name) {
  if (!(name in roots) || !group.classList.contains("group")) return;
  group.dataset.opens = name;
  group.tabIndex = 0;
  group.setAttribute("role", "button");
  group.setAttribute("aria-label", `Open ${roots[name].dataset.title}`);
}

// The number of a card's gradient, which is replaced while the gradient grows; null where there are several numbers.
function gradientOf(group) {
  const [, ...numbers] = group.querySelectorAll(".gradient text"); // after the word "grad"
  return numbers.length === 1 ? { text: numbers[0], whole: numbers[0].textContent } : null;
}

// ----- one step -----
function show(k, speak = true) {
  const last = view.steps.length - 1;
  now = Math.max(0, Math.min(k, last));
  const step = view.steps[now], { active, receiver, edge, pass } = step.dataset, backward = pass === "backward";
  player.classList.toggle("backward", backward);
  for (const other of view.steps) other.classList.toggle("now", other === step);
  const totals = totalsSoFar();
  for (const [group, name, gradient] of view.nodes) {
    const graded = view.graded[name] <= now;
    light(group, {
      waiting: view.computed[name] > now, resting: backward && !graded, ungraded: !graded,
      active: name === active, receiving: backward && name === receiver,
    });
    if (gradient) gradient.text.textContent = totals[name] ?? gradient.whole;
  }
  for (const [group, name] of view.edges) {
    const to = endOf(name);
    light(group, {
      waiting: view.computed[to] > now, passed: view.passed[name] <= now,
      active: backward ? name === edge : to === active,
    });
  }
  describe(step, backward, speak);
  postMoment();
  for (const name of ["first", "back"]) player.querySelector(`[data-go=${name}]`).disabled = now === 0;
  for (const name of ["on", "last"]) player.querySelector(`[data-go=${name}]`).disabled = now === last;
  bringIntoView([active, receiver].flatMap((card) => view.nodes.filter(([, name]) => name === card)).map(([group]) => group));
}

// Posts the moment to the page around this one, which may post one back: a new picture goes on where the old one was.
function postMoment() {
  if (parent !== window) parent.postMessage({ moment: Number(view.steps[now].dataset.moment) }, "*");
}

function goTo(moment) {
  show(Math.max(0, view.steps.findLastIndex((step) => Number(step.dataset.moment) <= moment)), false);
}

function light(group, looks) {
  for (const [look, on] of Object.entries(looks)) group.classList.toggle(look, Boolean(on));
}

// Returns the sums of gradients that are not complete yet.
function totalsSoFar() {
  const totals = {};
  for (const step of view.steps.slice(0, now + 1)) {
    if (step.dataset.total) totals[step.dataset.receiver] = step.dataset.total;
  }
  return totals;
}

// Returns the card that an edge leads to: n5 for e3-5-0 and for es1-n5.
function endOf(edge) {
  const to = edge.split("-")[1];
  return /^\d/.test(to) ? `n${to}` : to;
}

function describe(step, backward, speak) {
  const title = step.querySelector("h2").textContent, count = view.steps.length, turn = view.turn < 0 ? count : view.turn;
  output.textContent = backward ? `backward ${now - turn + 1} of ${count - turn}` : `forward ${now + 1} of ${turn}`;
  slider.value = now;
  slider.setAttribute("aria-valuetext", `${output.textContent}: ${title}`);
  const lines = [...step.querySelectorAll("dt")].map((what) => `${what.textContent}: ${what.nextElementSibling.firstChild.textContent}`);
  if (speak) announced.textContent = [title, ...lines].join(". ");
}

// Scrolls to these cards, or to the last of them if not all fit.
function bringIntoView(groups) {
  const frame = view.stage.getBoundingClientRect(), boxes = groups.map((group) => group.getBoundingClientRect());
  const span = (low, high, some) => [Math.min(...some.map((box) => box[low])), Math.max(...some.map((box) => box[high]))];
  const fits = (some) => {
    const [left, right] = span("left", "right", some), [top, bottom] = span("top", "bottom", some);
    return right - left <= frame.width && bottom - top <= frame.height;
  };
  const shown = boxes.length && fits(boxes) ? boxes : boxes.slice(-1);
  if (!shown.length) return;
  const [left, right] = span("left", "right", shown), [top, bottom] = span("top", "bottom", shown);
  view.stage.scrollTo({
    left: view.stage.scrollLeft + (left + right) / 2 - frame.left - frame.width / 2,
    top: view.stage.scrollTop + (top + bottom) / 2 - frame.top - frame.height / 2,
    behavior: still.matches ? "auto" : "smooth",
  });
}

// Fits a small graph into the room; a large one keeps its size and is scrolled.
function readable({ stage, size }) {
  const room = Math.min((stage.clientWidth - 32) / size.width, (stage.clientHeight - 32) / size.height);
  return room < SMALLEST_FIT ? 1 : Math.min(room, LARGEST);
}

// ----- groups -----
// Shows the picture with another group open, at the same moment of the steps; false if another was asked for since.
async function enter(name) {
  pause();
  wanted = name;
  const next = await viewOf(name);
  if (wanted !== name) return false;
  const moment = view ? Number(view.steps[now].dataset.moment) : -1;
  for (const [other, root] of Object.entries(roots)) root.hidden = other !== name;
  for (const level of player.querySelectorAll("[data-level]")) level.setAttribute("aria-pressed", String(level.dataset.level === name));
  view = next;
  slider.max = view.steps.length - 1;
  view.zoom ??= new Zoom(view.stage, view.svg, () => readable(next));
  view.zoom.fit();
  goTo(moment);
  return true;
}

// Enters the first view that has a card of this name.
async function enterViewWith(text) {
  const name = Object.keys(roots).find((other) => matching(cardsIn(roots[other]), text).length);
  if (name === undefined || !(await enter(name))) return false;
  announced.textContent = name ? `${roots[name].dataset.title} is open` : "";
  return true;
}

// Returns the first lines of the cards in a view.
function cardsIn(root) {
  return root.dataset.cards?.split("\n") ?? [...root.querySelectorAll(".stage g.node")].map(firstLine);
}

async function openGroup(name) {
  if (!(await enter(name))) return;
  view.stage.focus();
  const box = view.stage.querySelector(`.cluster.${name}`);
  if (box && box.getBoundingClientRect().height <= view.stage.clientHeight) bringIntoView([box]);
  announced.textContent = `${view.root.dataset.title} is open`;
}

async function closeGroup() {
  const { title, view: closed, parent } = view.root.dataset;
  if (!(await enter(parent))) return;
  const group = view.nodes.find(([, name]) => name === closed);
  (group ? group[0] : view.stage).focus();
  announced.textContent = `${title} is closed`;
}

// ----- playing -----
function pause() {
  clearInterval(timer);
  timer = 0;
  player.classList.remove("playing");
  play.setAttribute("aria-label", "Play");
}

function resume() {
  if (now === view.steps.length - 1) show(0);
  player.classList.add("playing");
  play.setAttribute("aria-label", "Pause");
  timer = setInterval(() => {
    show(now + 1);
    if (now === view.steps.length - 1) pause();
  }, MILLISECONDS);
}

const GO = { first: () => 0, back: () => now - 1, on: () => now + 1, last: () => view.steps.length - 1 };
const KEYS = { ArrowLeft: "back", ArrowDown: "back", ArrowRight: "on", ArrowUp: "on", Home: "first", End: "last", " ": "play" };

function act(name) {
  if (name === "play" && !timer) return resume();
  pause();
  if (name !== "play") show(GO[name]());
}

// ----- events -----
player.addEventListener("click", (event) => {
  const button = event.target.closest("[data-go]"), group = event.target.closest("[data-opens]");
  if (button) act(button.dataset.go);
  else if (group) openGroup(group.dataset.opens);
  else if (event.target.closest("[data-close]")) closeGroup();
});
slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    return player.querySelector("input[type=search]").focus();
  }
  const group = event.target.closest("[data-opens]");
  if (group && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    openGroup(group.dataset.opens);
  } else if (event.key === "Escape" && view.root.dataset.view) {
    closeGroup();
  } else if (event.key in KEYS && !(event.key === " " && event.target.closest("button"))) { // a button has its own
    event.preventDefault();
    act(KEYS[event.key]);
  }
});
addEventListener("message", ({ source, data }) => { if (source === parent && Number.isInteger(data?.moment)) goTo(data.moment); });
addEventListener("resize", () => { view.zoom.fit(); show(now, false); });

const unpacks = "DecompressionStream" in window; // where a browser cannot, groups open as lists
for (const root of player.querySelectorAll(unpacks ? ".view" : ".view:not([data-packed])")) roots[root.dataset.view] = root;
const closer = closerOf(player, document.querySelector(".closer-data"));
closer.offers = (id) => (id in roots ? { "Open its operations": () => openGroup(id) } : {});
const levels = player.querySelector(".levels");
levels.hidden = !("operations" in roots);
levels.addEventListener("click", ({ target }) => enter(target.closest("[data-level]").dataset.level));
player.querySelector(".controls").hidden = false;
enter("").then(() => pictureTools(player.querySelector(".tools"), () => view.zoom, enterViewWith));
