/* Number fields that are changed by dragging sideways and by the arrow keys. */

const STEP = 0.01;

/** Make a number field draggable; `set` is called with every new number. */
export function draggable(input, get, set) {
  let from = null;

  input.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && document.activeElement !== input) from = { x: event.clientX, value: get(), moved: false };
  });
  input.addEventListener("pointermove", (event) => {
    if (!from) return;
    const pixels = event.clientX - from.x;
    if (!from.moved && Math.abs(pixels) < 3) return;
    if (!from.moved) {
      from.moved = true;
      input.setPointerCapture(event.pointerId);
      input.classList.add("dragged");
    }
    event.preventDefault();
    set(from.value + pixels * STEP * (event.shiftKey ? 10 : 1));
  });
  const end = (event) => {
    if (from?.moved) {
      event.preventDefault();
      input.blur();
    }
    from = null;
    input.classList.remove("dragged");
  };
  input.addEventListener("pointerup", end);
  input.addEventListener("pointercancel", end);
  input.addEventListener("keydown", (event) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    set(get() + direction * (event.shiftKey ? 1 : 0.1));
  });
}
