// Opens a dialog over the page. Without a script its link leads to it in the page, or to a page of its own.

for (const link of document.querySelectorAll("a[data-dialog]")) {
  const dialog = document.getElementById(link.dataset.dialog);
  if (!dialog) continue;
  link.setAttribute("aria-haspopup", "dialog");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
  for (const away of dialog.querySelectorAll("a[data-close]")) {
    away.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
  }
}
