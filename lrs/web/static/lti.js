// In a frame of a learning platform: forms that send themselves, and values that the platform keeps for us where the
// browser keeps no cookie (1EdTech, LTI Client Side postMessages 1.0). Without a script each page has its button.

const WAITS = 2000; // milliseconds for an answer of the platform

function ask(place, message) {
  const frames = window.opener || window.parent;
  const target = place.frame === "_parent" ? frames : frames.frames[place.frame];
  return new Promise((done, failed) => {
    if (!target) { failed(new Error("no such frame")); return; }
    const id = crypto.randomUUID();
    const over = setTimeout(() => failed(new Error("no answer")), WAITS);
    window.addEventListener("message", (event) => {
      if (event.origin !== place.origin || event.data?.message_id !== id) return;
      clearTimeout(over);
      if (event.data.error) failed(new Error("refused")); else done(event.data.value);
    });
    target.postMessage({ ...message, message_id: id }, place.origin);
  });
}

for (const link of document.querySelectorAll("a[data-keep]")) {
  const { key, value, ...place } = link.dataset;
  try {
    await ask(place, { subject: "lti.put_data", key, value });
  } catch { /* a cookie may do it still */ }
  location.replace(link.href);
}

for (const form of document.querySelectorAll("form[data-recall]")) {
  try {
    form.elements.proof.value = (await ask(form.dataset, { subject: "lti.get_data", key: form.dataset.key })) ?? "";
  } catch { /* the answer offers a window of its own */ }
  form.submit();
}

for (const form of document.querySelectorAll("form[data-send]")) form.submit();

for (const part of document.querySelectorAll("[data-closes]")) {
  for (const button of part.querySelectorAll("button")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      (window.opener || window.parent).postMessage({ subject: "org.imsglobal.lti.close" }, part.dataset.closes);
    });
  }
}
