/* Helpers that create elements. */

/** element("button", {type: "button", class: "fix", onclick: f}, "Add", ...) */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** The server's SVG as an element of this page; null for other text. */
export function picture(text) {
  const unstyled = text.replace(/^(<svg[^>]*?) style="[^"]*"/, "$1"); // the style sheet sets the width
  // the HTML parser takes half the time of the XML one
  const svg = new DOMParser().parseFromString(unstyled, "text/html").querySelector("svg");
  return svg && document.adoptNode(svg);
}

/** The server's formula {math, text} as an element of this page. */
export function math({ math, text }) {
  const source = `<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mrow>${math}</mrow></math>`;
  const parsed = new DOMParser().parseFromString(source, "application/xml").documentElement;
  if (parsed.localName !== "math") return document.createTextNode(text);
  parsed.setAttribute("alttext", text);
  return document.adoptNode(parsed);
}

let hiding = 0;

/** Show a message for a moment. */
export function notice(text) {
  const shown = document.getElementById("notice");
  shown.textContent = text;
  shown.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => shown.classList.remove("shown"), 2500);
}

/** Copy a text, and say so. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    notice(`${what} copied.`);
  } catch {
    notice("The browser does not allow copying here.");
  }
}
