// Takes a double click for one click, also where the first has led to another page: another button may be at its place there.

const APART = 400; // milliseconds
const AT = "clicked-at";

function sinceLast() {
  try {
    const last = Number(sessionStorage.getItem(AT));
    sessionStorage.setItem(AT, String(Date.now()));
    return Date.now() - last;
  } catch { // a browser that keeps nothing, such as in a frame of another site
    return APART;
  }
}

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("a[href], button");
  if (!pressed || event.detail === 0) return; // by the keyboard or a script
  if (sinceLast() < APART && pressed.type === "submit") event.preventDefault();
}, true);
