"use strict";
// Sorting, filtering and enlarging; without it everything stays readable.

window.trackbed = { pictures: () => null }; // of a page with test pictures: report_pictures.js

// What differs from clone to clone comes from report_context.js, if it belongs to this page.
const context = window.reportContext;
const fits = context?.page === document.documentElement.dataset.page;
for (const place of document.querySelectorAll("[data-context]")) {
  if (fits) place.innerHTML = context.parts[place.dataset.context];
  else if (context && place.firstElementChild) {
    place.firstElementChild.textContent = "report_context.js beside this page belongs to another.";
  }
}

// A table that sorts by a click on a head; n/a comes last.
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, head, column));
  });
}

function sort(table, head, column) {
  const numbers = head.classList.contains("n");
  const before = head.getAttribute("aria-sort");
  const up = before ? before === "descending" : !numbers;
  for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = (row) => {
    const text = row.cells[column].textContent.trim();
    return numbers ? Number(text.replace(/[,%\s]/g, "")) : text;
  };
  const order = (a, b) => {
    if (!numbers) return a.localeCompare(b, undefined, { numeric: true });
    return Number.isNaN(a) || Number.isNaN(b) ? 0 : a - b;
  };
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    const missing = numbers ? Number.isNaN(value(a)) - Number.isNaN(value(b)) : 0;
    return missing || (up ? 1 : -1) * order(value(a), value(b));
  });
  table.tBodies[0].append(...rows);
}

// A gallery that shows the pictures of a true and of a predicted class.
for (const form of document.querySelectorAll("form.filters[data-of]")) {
  const cards = [...document.getElementById(form.dataset.of).children];
  for (const select of form.elements) {
    for (const name of new Set(cards.map((card) => card.dataset[select.name]))) {
      select.add(new Option(name));
    }
  }
  form.addEventListener("change", () => {
    for (const card of cards) {
      card.hidden = [...form.elements].some(
        (select) => select.selectedIndex > 0 && select.value !== card.dataset[select.name],
      );
    }
    const shown = cards.filter((card) => !card.hidden).length;
    form.querySelector("[role=status]").textContent = `${shown} of ${cards.length} shown`;
  });
  form.hidden = false;
}

// A picture that a click or Enter enlarges; a click or Escape closes it.
const dialog = document.getElementById("enlarged");
dialog.addEventListener("click", () => dialog.close());
for (const image of document.querySelectorAll(".card img")) {
  image.tabIndex = 0;
  image.setAttribute("role", "button");
  const open = () => {
    const [large, text] = [image.cloneNode(), image.parentNode.querySelector("p").cloneNode(true)];
    large.removeAttribute("tabindex");
    large.removeAttribute("role");
    if (image.dataset.caption) {
      text.prepend(image.dataset.caption, document.createElement("br"));
    }
    dialog.querySelector("div").replaceChildren(large, text);
    dialog.showModal();
  };
  image.addEventListener("click", open);
  image.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    open();
  });
}
