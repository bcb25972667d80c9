// A file that is dropped anywhere on a form with `data-drop` is put into its field. Without a script the field takes it.

const formOf = (event) => event.target.closest?.("form[data-drop]");

addEventListener("dragover", (event) => {
  const form = formOf(event);
  if (!form || !event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  form.classList.add("over");
});

addEventListener("dragleave", (event) => formOf(event)?.classList.remove("over"));

addEventListener("drop", (event) => {
  const form = formOf(event);
  if (!form || !event.dataTransfer.files.length) return;
  event.preventDefault();
  form.classList.remove("over");
  const field = form.querySelector("input[type=file]");
  field.files = event.dataTransfer.files;
  field.focus();
});
