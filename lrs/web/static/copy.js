// A button beside a value that puts it into the clipboard. Without a script the value is there to be marked by hand.

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) break; // only where the page came by https or from this machine
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      button.textContent = button.dataset.done;
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = button.dataset.marked;
    }
    setTimeout(() => { button.textContent = label; }, 3000);
  });
}
