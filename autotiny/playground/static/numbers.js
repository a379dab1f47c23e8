/* Values as text: "2" is a number, "1,2" a vector, "1,2;3,4" a matrix, "1;" a matrix of one entry, "1," a vector of one. */

export const shapeOf = (value) => (Array.isArray(value) ? [value.length, ...(value.length ? shapeOf(value[0]) : [])] : []);

export const entries = (value) => (Array.isArray(value) ? value.flatMap(entries) : [value]);

/** A value of this shape, its entries computed from their indices. */
export const filled = (shape, entry, place = []) =>
  shape.length ? Array.from({ length: shape[0] }, (_, i) => filled(shape.slice(1), entry, [...place, i])) : entry(place);

export const at = (value, place) => place.reduce((part, i) => part?.[i], value);

/** The value with one entry replaced. */
export const withEntry = (value, place, entry) =>
  place.length ? value.map((part, i) => (i === place[0] ? withEntry(part, place.slice(1), entry) : part)) : entry;

/** The value in another shape: entries keep their indices, missing ones are created. */
export const reshaped = (value, shape, entry) =>
  filled(shape, (place) => {
    const old = at(value, place.slice(place.length - shapeOf(value).length));
    return typeof old === "number" ? old : entry(place);
  });

/** A function applied entry by entry to two values of one shape; where b has no number, the entry of a stays. */
export const combined = (a, b, f) =>
  Array.isArray(a) ? a.map((part, i) => combined(part, b[i], f)) : typeof b === "number" ? f(a, b) : a;

export const rounded = (x, digits = 4) => Number(x.toFixed(digits)) + 0;

/** A number with few digits and a typographic minus. */
export const short = (x, digits = 3) =>
  typeof x === "number" ? String(Number(x.toPrecision(digits))).replace("-", "−") : String(x);

/** A number with as many digits as so many characters have room for. */
export function fitting(x, room) {
  const texts = [17, 6, 5, 4, 3, 2, 1].map((digits) => String(Number(x.toPrecision(digits))));
  return texts.find((text) => text.length <= room) ?? texts.at(-1);
}

/** The range of a gradient, "−1 … 2", or its only entry. */
export function extent(value) {
  const all = entries(value);
  const finite = all.filter((x) => typeof x === "number");
  if (all.length === 1 || finite.length < all.length) return short(all.find((x) => typeof x !== "number") ?? all[0]);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  return low === high ? `all ${short(low)}` : `${short(low)} … ${short(high)}`;
}

export function write(value) {
  const shape = shapeOf(value);
  if (shape.length > 2) return JSON.stringify(value);
  if (shape.length === 0) return String(value);
  if (shape.length === 1) return value.length === 1 ? `${value[0]},` : value.join(",");
  return value.map((row) => row.join(",")).join(";") + (shape[0] === 1 ? ";" : "");
}

/** The value written in a text, or null. */
export function read(text) {
  if (text.startsWith("[")) return parsed(text);
  const rows = text.replace(/;$/, "").split(";").map((row) => row.replace(/,$/, "").split(",").map(number));
  const wrong = rows.some((row) => row.length !== rows[0].length || row.some(Number.isNaN));
  if (wrong) return null;
  if (text.includes(";")) return rows;
  return text.includes(",") ? rows[0] : rows[0][0];
}

export const number = (text) => (text.trim() === "" ? NaN : Number(text.replace("−", "-")));

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
