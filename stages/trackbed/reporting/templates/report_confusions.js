// The confusion matrix: a cell shows its pictures beside the matrix, and a click shows them in the
// gallery.
if (trackbed.pictures()) {
  const data = trackbed.pictures();
  const table = document.querySelector("table.matrix");
  const panel = document.getElementById("cell-pictures");
  const MOST = 18; // pictures beside the matrix
  const cells = new Map(); // rows by "true predicted", the surest first
  for (const row of data.file.keys()) {
    const key = `${data.true[row]} ${data.predicted[row]}`;
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(row);
  }
  for (const rows of cells.values()) rows.sort((a, b) => data.confidence[b] - data.confidence[a]);
  const support = (label) => data.true.filter((one) => one === label).length;
  const plural = (count) => `${count.toLocaleString("en")} ${count === 1 ? "image" : "images"}`;
  const title = (own, predicted) => own === predicted
    ? `${data.classes[own]} predicted right`
    : `${data.classes[own]} predicted as ${data.classes[predicted]}`;

  let last = null; // the cell whose pictures are beside the matrix
  // A cell that the pointer crosses on its way to the pictures does not replace them.
  const REST = 200; // milliseconds
  let resting = 0;

  function preview(cell) {
    if (cell === last) return;
    last?.classList.remove("current");
    last = cell;
    cell.classList.add("current");
    const [own, predicted] = [Number(cell.dataset.true), Number(cell.dataset.predicted)];
    const rows = cells.get(`${own} ${predicted}`) ?? [];
    const [head, text, list, more] = panel.children;
    head.textContent = title(own, predicted);
    text.textContent = `${plural(rows.length)}, ${cell.querySelector(".shares").textContent} % of the ` +
      `${plural(support(own))} of the class; highest confidence first`;
    list.replaceChildren(...rows.slice(0, MOST).map((row) => picture(row, rows)));
    more.hidden = false;
    more.textContent = rows.length > MOST ? `All ${rows.length.toLocaleString("en")} in the gallery` : "Show in the gallery";
    more.onclick = () => trackbed.filter({ true: own, predicted });
  }

  function picture(row, rows) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", trackbed.described(row));
    button.title = data.file[row];
    const canvas = trackbed.thumbnail(row);
    canvas.setAttribute("aria-hidden", "true");
    button.append(canvas);
    button.addEventListener("click", () => trackbed.open(row, rows));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  const filled = [...table.querySelectorAll("td[data-true]")];
  const place = (cell) => [cell.parentNode.rowIndex, cell.cellIndex];

  for (const cell of filled) {
    const [own, predicted] = [Number(cell.dataset.true), Number(cell.dataset.predicted)];
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.append(...cell.childNodes);
    const count = (cells.get(`${own} ${predicted}`) ?? []).length;
    button.setAttribute("aria-label", `${title(own, predicted)}: ${plural(count)}`);
    cell.append(button);
    button.addEventListener("click", () => trackbed.filter({ true: own, predicted }));
    button.addEventListener("focus", () => preview(cell));
    // Not pointerenter: scrolling by the keys would move cells under a pointer that rests.
    cell.addEventListener("pointermove", () => {
      resting ||= setTimeout(() => preview(cell), REST);
    });
    cell.addEventListener("pointerleave", () => {
      clearTimeout(resting);
      resting = 0;
    });
  }

  // The arrow keys go to the next cell that has pictures.
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td[data-true]");
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (!cell || !(event.key in steps)) return;
    event.preventDefault();
    const [down, right] = steps[event.key];
    const [row, column] = place(cell);
    const along = filled.filter((one) => {
      const [y, x] = place(one);
      return down ? x === column && (y - row) * down > 0 : y === row && (x - column) * right > 0;
    });
    const distance = (one) => Math.abs(place(one)[0] - row) + Math.abs(place(one)[1] - column);
    const next = along.sort((a, b) => distance(a) - distance(b))[0];
    if (!next) return;
    event.target.tabIndex = -1;
    next.firstChild.tabIndex = 0;
    next.firstChild.focus();
  });

  // First the most frequent confusion, or the first cell.
  const wrong = filled.filter((one) => one.classList.contains("wrong"));
  const size = (one) => (cells.get(`${one.dataset.true} ${one.dataset.predicted}`) ?? []).length;
  const first = wrong.sort((a, b) => size(b) - size(a))[0] ?? filled[0];
  if (first) {
    panel.hidden = false;
    first.firstChild.tabIndex = 0;
    preview(first);
  }

  // The pictures of the pairs open the lightbox, with the map that was clicked.
  const rowOf = new Map(data.file.map((name, row) => [name, row]));
  const pairs = document.querySelector(".pairs");
  const opened = (event) => {
    const image = event.target.closest(".card img");
    if (!image || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.stopPropagation();
    const card = image.closest(".card");
    const among = [...card.parentNode.children].map((one) => rowOf.get(one.dataset.file));
    trackbed.open(rowOf.get(card.dataset.file), among, [...card.querySelectorAll("img")].indexOf(image) - 1);
  };
  pairs?.addEventListener("click", opened, true);
  pairs?.addEventListener("keydown", opened, true);
}
