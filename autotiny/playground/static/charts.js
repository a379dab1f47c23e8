/* Charts as SVG: a curve with its tangent, a contour with its gradient, the losses, and a decision boundary. */

const HEIGHT = 280;
const ROOM = { left: 58, right: 14, top: 10, bottom: 38 };
const ARROW = 0.25; // the length of the gradient's arrow, as a share of the width
const MOST_DOTS = 200;

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Round numbers within a range, about so many. */
export function ticks([low, high], count = 5) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((each) => each >= 0.999 * rough);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.max(0, Math.floor(high / step + 1e-9) - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const words = (x) => String(Number(x.toPrecision(6))).replace("-", "−").replace("e+", "e");

/** An SVG with axes: its element, and the functions from numbers to pixels. */
function axes({ title, width, height = HEIGHT, xs, ys, names }) {
  const inner = { width: width - ROOM.left - ROOM.right, height: height - ROOM.top - ROOM.bottom };
  const x = (value) => ROOM.left + ((value - xs[0]) / (xs[1] - xs[0])) * inner.width;
  const y = (value) => ROOM.top + ((ys[1] - value) / (ys[1] - ys[0])) * inner.height;
  title = title.replaceAll("-", "−");
  const clip = `chart-${++charts}`;
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title }, svg("title", {}, title));
  const area = { x: ROOM.left, y: ROOM.top, width: inner.width, height: inner.height };
  chart.append(svg("clipPath", { id: clip }, svg("rect", area)));
  for (const value of ticks(xs, Math.max(3, inner.width / 90))) {
    chart.append(svg("line", { class: "grid", x1: x(value), x2: x(value), y1: ROOM.top, y2: ROOM.top + inner.height }));
    chart.append(svg("text", { x: x(value), y: height - 22, "text-anchor": "middle" }, words(value)));
  }
  for (const value of ticks(ys)) {
    chart.append(svg("line", { class: "grid", y1: y(value), y2: y(value), x1: ROOM.left, x2: ROOM.left + inner.width }));
    chart.append(svg("text", { x: ROOM.left - 6, y: y(value) + 4, "text-anchor": "end" }, words(value)));
  }
  chart.append(svg("text", { class: "axis-name", x: ROOM.left + inner.width / 2, y: height - 5, "text-anchor": "middle" }, names[0]));
  chart.append(svg("text", { class: "axis-name", x: 12, y: ROOM.top + inner.height / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${ROOM.top + inner.height / 2})` }, names[1]));
  const plot = svg("g", { "clip-path": `url(#${clip})` });
  chart.append(plot);
  return { chart, plot, x, y, area };
}
let charts = 0;

/** The path through points; null for a height breaks it. */
function through(points, x, y) {
  let pen = "M";
  return points.map(([a, b]) => {
    if (a === null || b === null) { pen = "M"; return ""; }
    const piece = `${pen}${x(a).toFixed(1)} ${y(b).toFixed(1)}`;
    pen = "L";
    return piece;
  }).join("");
}

/** The loss along one number, with its tangent; `set(x)` is called while the point is dragged. */
export function curveChart({ line, limits, spans, point, value, slope, kinks, names, label, words: title }, trail, width, set) {
  const { chart, plot, x, y, area } = axes({ title, width, xs: spans[0], ys: limits, names: [names[0], label] });
  plot.append(svg("path", { class: "curve", d: through(line.map(([a, b]) => [a, within(b, limits)]), x, y) }));
  for (const [a, b] of kinks) if (b !== null) plot.append(svg("path", { class: "kink", d: `M${x(a)} ${y(b) - 5}l5 5l-5 5l-5 -5z` }));
  draw(plot, trail.map(({ point: [a], loss }) => [a, loss]), x, y);
  const [at] = point;
  if (value !== null && slope !== null) {
    const reach = (spans[0][1] - spans[0][0]) / 4;
    plot.append(svg("line", { class: "tangent", x1: x(at - reach), x2: x(at + reach), y1: y(value - slope * reach), y2: y(value + slope * reach) }));
  }
  if (value !== null) plot.append(svg("circle", { class: "point", cx: x(at), cy: y(value), r: 5.5 }));
  if (set) chart.append(handle(chart, area, spans[0], width, set));
  return chart;
}

/** A height just beyond the shown ones in place of one far away: pixels stay small. */
const within = (height, [low, high]) => (height === null ? null : Math.min(Math.max(height, 2 * low - high), 2 * high - low));

function handle(chart, area, [low, high], width, set) {
  const rect = svg("rect", { class: "handle", ...area });
  const move = (event) => {
    const box = chart.getBoundingClientRect();
    const share = (((event.clientX - box.left) / box.width) * width - area.x) / area.width;
    set(low + Math.min(1, Math.max(0, share)) * (high - low));
  };
  rect.addEventListener("pointerdown", (event) => {
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
    };
    addEventListener("pointermove", move); // the chart is drawn anew while it is dragged, so the window listens
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
    move(event);
  });
  return rect;
}

function draw(plot, points, x, y) {
  if (points.length < 2) return;
  plot.append(svg("path", { class: "path", d: through(points, x, y) }));
  if (points.length > MOST_DOTS) return;
  for (const [a, b] of points) if (a !== null && b !== null) plot.append(svg("circle", { class: "path-step", cx: x(a), cy: y(b), r: 2.5 }));
}

/** The loss over two numbers, with its gradient, and the path of descent. */
export function contourChart({ heights, levels, spans, point, slope, names, words: title }, trail, width) {
  const [[left, right], [bottom, top]] = spans;
  const height = Math.min(Math.max(HEIGHT, (width - ROOM.left - ROOM.right) * 0.8 + ROOM.top + ROOM.bottom), 460);
  const { chart, plot, x, y } = axes({ title, width, height, xs: spans[0], ys: spans[1], names });
  const n = heights.length - 1;
  const across = (j) => x(left + ((right - left) * j) / n), up = (i) => y(bottom + ((top - bottom) * i) / n);
  for (const { i, from, to, level } of runs(heights, levels)) {
    const shade = 0.42 * (1 - level / levels.length);
    plot.append(svg("rect", { class: "height", x: across(from), width: across(to) - across(from), y: up(i + 1), height: up(i) - up(i + 1), opacity: shade.toFixed(3) }));
  }
  for (const level of levels) plot.append(svg("path", { class: "level", d: contour(heights, level, across, up) }));
  draw(plot, [...trail.map((each) => each.point), point], x, y);
  const [a, b] = point.map((value, axis) => [x, y][axis](value));
  const [dx, dy] = [(slope[0] ?? 0) / (right - left), -(slope[1] ?? 0) / (top - bottom)];
  const length = Math.hypot(dx, dy);
  if (length > 0) plot.append(arrow(a, b, (dx / length) * ARROW * width, (dy / length) * ARROW * width));
  plot.append(svg("circle", { class: "point", cx: a, cy: b, r: 5.5 }));
  return chart;
}

function arrow(x, y, dx, dy) {
  const angle = (Math.atan2(dy, dx) * 180) / Math.PI;
  return svg("g", { class: "arrow" }, svg("line", { x1: x, y1: y, x2: x + dx, y2: y + dy }), svg("path", { d: "M0 0l-9 -4.5v9z", transform: `translate(${x + dx} ${y + dy}) rotate(${angle})` }));
}

/** Cells of a row between the same levels, as runs. */
function* runs(heights, levels) {
  for (let i = 0; i + 1 < heights.length; i++) {
    const row = heights[i].slice(1).map((_, j) => levelOf([heights[i][j], heights[i][j + 1], heights[i + 1][j], heights[i + 1][j + 1]], levels));
    for (let from = 0, to = 0; from < row.length; from = to) {
      while (to < row.length && row[to] === row[from]) to++;
      if (row[from] !== null) yield { i, from, to, level: row[from] };
    }
  }
}

function levelOf(corners, levels) {
  if (corners.includes(null)) return null;
  const mean = corners.reduce((a, b) => a + b) / 4;
  const above = levels.findIndex((level) => mean < level);
  return above < 0 ? levels.length : above;
}

/** Where the heights pass through a level: a segment or two in each cell, by linear interpolation. */
function contour(heights, level, across, up) {
  const pieces = [];
  for (let i = 0; i + 1 < heights.length; i++) {
    for (let j = 0; j + 1 < heights[i].length; j++) {
      const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]].map(([r, c]) => [r, c, heights[r][c]]);
      if (corners.some(([, , h]) => h === null)) continue;
      const crossings = corners.flatMap(([r, c, h], k) => {
        const [r2, c2, h2] = corners[(k + 1) % 4];
        if (h < level === h2 < level) return [];
        const t = (level - h) / (h2 - h);
        return [`${across(c + t * (c2 - c)).toFixed(1)} ${up(r + t * (r2 - r)).toFixed(1)}`];
      });
      for (let k = 0; k + 1 < crossings.length; k += 2) pieces.push(`M${crossings[k]}L${crossings[k + 1]}`);
    }
  }
  return pieces.join("");
}

/** The loss step by step. */
export function lossChart(losses, label, width) {
  const known = losses.filter((loss) => loss !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const room = 0.06 * (high - low) || Math.abs(high) / 2 || 1;
  const title = `${label} fell from ${words(known[0])} to ${words(known.at(-1))} in ${losses.length - 1} steps`;
  const { chart, plot, x, y } = axes({ title, width, height: 200, xs: [0, Math.max(1, losses.length - 1)], ys: [low - room, high + room], names: ["step", label] });
  plot.append(svg("path", { class: "curve", d: through(losses.map((loss, i) => [i, loss]), x, y) }));
  if (losses.length > 1) chart.append(svg("circle", { class: "point", cx: x(losses.length - 1), cy: y(known.at(-1)), r: 4 }));
  return chart;
}

/** Which class the program gives to each point of the plane, and the examples. */
export function boundaryChart({ spans, size, classes, shades, points, labels, right, names }, width) {
  const title = `The class of every point, and the examples: ${(100 * right).toFixed(1)} % are on the right side`;
  const { chart, plot, x, y } = axes({ title, width, height: Math.min(width, 320), xs: spans[0], ys: spans[1], names });
  const [[left, right_], [bottom, top]] = spans;
  const [w, h] = [(right_ - left) / (size - 1), (top - bottom) / (size - 1)];
  for (let i = 0; i < size; i++) {
    for (let from = 0, to = 0; from < size; from = to) {
      const [kind, shade] = [classes[i * size + from], shades[i * size + from]];
      while (to < size && classes[i * size + to] === kind && shades[i * size + to] === shade) to++;
      const [a, b] = [x(left + (from - 0.5) * w), x(left + (to - 0.5) * w)];
      plot.append(svg("rect", { class: `region class-${kind % 8}`, x: a, width: b - a, y: y(bottom + (i + 0.5) * h), height: y(bottom) - y(bottom + h), opacity: 0.06 + 0.035 * shade }));
    }
  }
  points.forEach(([a, b], k) => plot.append(svg("circle", { class: `example class-${labels[k] % 8}`, cx: x(a), cy: y(b), r: 3.2 })));
  return chart;
}
