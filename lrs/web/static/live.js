// Keeps a part of the page as it is now: fetches the page's own address (or the one that the part names), and puts the
// same part in its place.
// Says when it cannot, and stops where the part is live no more. A page of somebody who was signed out is left. A part in which somebody is at work (a field, an opened
// dialog) is left alone.

const SECOND = 1000;

function busy(part) {
  return part.contains(document.activeElement) || part.querySelector("dialog[open], details[open]") !== null;
}

function follow(part) {
  const every = Number(part.dataset.live) * SECOND;
  const told = document.querySelector("[data-live-told]");
  let last = new Date();

  function tell(works) {
    if (!told) return;
    told.hidden = false;
    told.classList.toggle("off", !works);
    const text = works ? told.dataset.works : `${told.dataset.fails} ${last.toLocaleTimeString()}`;
    if (told.textContent !== text) told.textContent = text;
  }

  function over() { // what was followed has ended
    if (told) told.hidden = true;
  }

  async function look() {
    if (document.hidden) return true;
    const answer = await fetch(part.dataset.from || location.href, { headers: { Accept: "text/html" }, redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect" && !part.dataset.from) location.reload(); // signed out: the sign-in says so, and leads back
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(part.id);
    if (!fresh) throw new Error("it is gone");
    last = new Date();
    if (busy(part)) return true;
    if (!part.dataset.from) document.title = page.title; // a heading in the part says the same
    if (fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
    return "live" in fresh.dataset;
  }

  async function again() {
    let works = true;
    try {
      if ((await look()) === false) return over();
    } catch {
      works = false;
    }
    tell(works);
    setTimeout(again, works ? every : every * 3);
  }

  tell(true);
  setTimeout(again, every);
}

for (const part of document.querySelectorAll("[data-live]")) follow(part);
