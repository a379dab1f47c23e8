/* The picture in the output of a notebook's cell: each picture that has come since is given its dialog. */

for (const data of document.querySelectorAll(".closer-data:not([data-used])")) {
  data.dataset.used = "";
  closerOf(data.parentElement, data).watch(data.previousElementSibling);
}
