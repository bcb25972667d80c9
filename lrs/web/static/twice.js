// Takes a double click for one click, also where the first has led to another page: another button may be at its place there.

const APART = 400; // milliseconds
const NEAR = 24; // pixels: who presses two buttons quickly one after the other moves further
const AT = "clicked-at";

function repeats(event) {
  const now = { at: Date.now(), x: event.clientX, y: event.clientY };
  try {
    const last = JSON.parse(sessionStorage.getItem(AT));
    sessionStorage.setItem(AT, JSON.stringify(now));
    return last !== null && now.at - last.at < APART && Math.hypot(now.x - last.x, now.y - last.y) < NEAR;
  } catch { // a browser that keeps nothing, such as in a frame of another site
    return false;
  }
}

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("a[href], button");
  if (!pressed || event.detail === 0) return; // by the keyboard or a script
  if (repeats(event) && pressed.type === "submit") event.preventDefault();
}, true);
