// Links and buttons that show pictures in the gallery: data-filter is what trackbed.filter takes,
// data-rows the rows of a selection with its data-label. Without a gallery a link is only a link.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-filter], [data-rows]");
  if (!link || !trackbed.filter || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { filter, rows, label } = link.dataset;
  if (filter) trackbed.filter(JSON.parse(filter));
  else trackbed.select({ rows: JSON.parse(rows), label });
  const heading = document.querySelector("#gallery h2");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
});
