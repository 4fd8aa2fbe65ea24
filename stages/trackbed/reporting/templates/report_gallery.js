// The gallery: all test pictures behind one form of filters. Only what comes into view is in the
// document, so that many thousands scroll as quickly as a few.
if (trackbed.pictures()) {
  const data = trackbed.pictures();
  const form = document.getElementById("gallery-filters");
  const view = document.getElementById("gallery-view");
  const list = view.querySelector("ol");
  const status = document.getElementById("gallery-status");
  const chosen = document.getElementById("gallery-chosen");
  const fields = form.elements;
  const all = [...data.file.keys()];
  const GAP = 10;
  const CAPTION = 62; // pixels below a picture
  let selection = null; // {rows, label} of `select`
  let rows = all;
  let current = 0; // the place among the rows that the keyboard is at
  let columns = 1;
  let wide = 1; // pixels of a card

  const percent = (value) => `${Math.round(value / 10)} %`;
  const sign = (row) => (trackbed.wrong(row) ? "✗" : "✓");
  const ownProbability = (row) => trackbed.probabilities(row)[data.true[row]];
  const rank = (row) => (trackbed.wrong(row) ? -data.confidence[row] - 2000 : data.confidence[row]);
  const orders = {
    surest: (a, b) => rank(a) - rank(b),
    least: (a, b) => data.confidence[a] - data.confidence[b],
    most: (a, b) => data.confidence[b] - data.confidence[a],
    doubted: null, // by a value that takes long, see `sorted`
    file: (a, b) => data.file[a].localeCompare(data.file[b], undefined, { numeric: true }),
    records: () => 0,
  };

  function fill() {
    const option = (select, text, value) => select.add(new Option(text, value));
    data.classes.forEach((name, label) => {
      option(fields.true, name, label);
      option(fields.predicted, name, label);
    });
    for (const [kind, values] of Object.entries(data.slices)) {
      const group = document.createElement("optgroup");
      group.label = kind;
      Object.keys(values).forEach((name, place) => {
        group.append(new Option(`${kind} ${name}`, JSON.stringify([kind, name])));
      });
      fields.slice.append(group);
    }
    for (const [name, of] of Object.entries(data.findings)) {
      option(fields.finding, `${name} (${of.length})`, name);
    }
    for (const name of ["slice", "finding"]) {
      fields[name].closest("label").hidden = fields[name].options.length < 2;
    }
  }

  // What the form asks for, as a function of a row.
  function wanted() {
    const [low, high] = [fields.low, fields.high].map((one) => Math.round(10 * one.value));
    const text = fields.text.value.trim().toLowerCase();
    const exact = data.groups.includes(fields.text.value) ? fields.text.value : null;
    const members = (of) => (of ? new Set(of) : null);
    const finding = members(data.findings[fields.finding.value]);
    const [kind, name] = fields.slice.value ? JSON.parse(fields.slice.value) : [];
    const slice = members(kind && data.slices[kind][name]);
    const label = (field) => (field.value === "" ? null : Number(field.value));
    const [own, predicted] = [label(fields.true), label(fields.predicted)];
    const answer = fields.answer.value;
    const named = (row) => {
      const group = data.groups[data.group[row]];
      if (exact !== null) return group === exact;
      return data.file[row].toLowerCase().includes(text) || group.toLowerCase().includes(text);
    };
    return (row) =>
      (own === null || data.true[row] === own) &&
      (predicted === null || data.predicted[row] === predicted) &&
      (!answer || trackbed.wrong(row) === (answer === "wrong")) &&
      data.confidence[row] >= low &&
      (fields.high.value === "" || data.confidence[row] <= high) &&
      (!finding || finding.has(row)) &&
      (!slice || slice.has(row)) &&
      (!text || named(row));
  }

  function sorted(some) {
    if (fields.sort.value !== "doubted") return some.sort(orders[fields.sort.value]);
    const values = new Map(some.map((row) => [row, ownProbability(row)]));
    return some.sort((a, b) => values.get(a) - values.get(b));
  }

  function update(notify = true) {
    rows = sorted((selection?.rows ?? all).filter(wanted()));
    const wrong = rows.filter(trackbed.wrong).length;
    const number = (value) => value.toLocaleString("en");
    const reversed = fields.high.value !== "" && Number(fields.low.value) > Number(fields.high.value);
    status.textContent = reversed
      ? "no pictures: the lower confidence is above the upper one"
      : `${number(rows.length)} of ${number(all.length)} pictures, ${number(wrong)} wrong`;
    chosen.hidden = !selection;
    chosen.querySelector("bdi").textContent = selection?.label ?? "";
    current = 0;
    view.scrollTop = 0;
    list.replaceChildren();
    layOut();
    if (!notify) return;
    const detail = { rows: [...rows], label: selection?.label };
    document.dispatchEvent(new CustomEvent("trackbed:selection", { detail }));
  }

  function layOut() {
    const room = list.clientWidth;
    columns = Math.max(2, Math.floor((room + GAP) / (Number(fields.zoom.value) + GAP)));
    wide = (room - (columns - 1) * GAP) / columns;
    const high = Math.ceil(rows.length / columns) * (wide + CAPTION + GAP);
    list.style.height = `${Math.max(high, rows.length ? 0 : 60)}px`;
    list.replaceChildren();
    show();
  }

  // Have the cards in the document that are in view, and a little more.
  function show() {
    const step = wide + CAPTION + GAP;
    const [top, bottom] = [view.scrollTop, view.scrollTop + view.clientHeight];
    const first = Math.max(0, Math.floor((top - step) / step)) * columns;
    const last = Math.min(rows.length, Math.ceil((bottom + step) / step) * columns);
    const there = new Map([...list.children].map((one) => [Number(one.dataset.place), one]));
    for (const [place, one] of there) if (place < first || place >= last) one.remove();
    for (let place = first; place < last; place++) {
      if (!there.has(place)) list.append(card(place));
    }
    if (!rows.length && !list.firstChild) {
      list.append(Object.assign(document.createElement("li"), { textContent: "No picture fits." }));
    }
  }

  function card(place) {
    const row = rows[place];
    const item = document.createElement("li");
    item.dataset.place = place;
    item.setAttribute("aria-setsize", rows.length);
    item.setAttribute("aria-posinset", place + 1);
    const x = (place % columns) * (wide + GAP);
    const y = Math.floor(place / columns) * (wide + CAPTION + GAP);
    item.style.cssText = `width: ${wide}px; height: ${wide + CAPTION}px; left: ${x}px; top: ${y}px`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = trackbed.wrong(row) ? "wrong" : "right";
    button.tabIndex = place === current ? 0 : -1;
    const frame = Object.assign(document.createElement("span"), { className: "frame" });
    const picture = trackbed.thumbnail(row);
    picture.setAttribute("aria-hidden", "true");
    frame.append(picture);
    button.append(frame, ...caption(row));
    button.setAttribute("aria-label", described(row));
    button.title = data.file[row];
    button.addEventListener("click", () => {
      current = place;
      trackbed.open(row);
    });
    item.append(button);
    return item;
  }

  function caption(row) {
    const line = (text, className) =>
      Object.assign(document.createElement("span"), { textContent: text, className });
    const [own, predicted] = [data.classes[data.true[row]], data.classes[data.predicted[row]]];
    const head = line(`${sign(row)} ${percent(data.confidence[row])}`, "sign");
    return trackbed.wrong(row)
      ? [head, line(own, "name"), line(`→ ${predicted}`, "name")]
      : [head, line(own, "name")];
  }

  function described(row) {
    const [own, predicted] = [data.classes[data.true[row]], data.classes[data.predicted[row]]];
    const sure = percent(data.confidence[row]);
    return trackbed.wrong(row)
      ? `wrong, ${sure}: ${own} predicted as ${predicted}, ${data.file[row]}`
      : `right, ${sure}: ${own}, ${data.file[row]}`;
  }

  function goTo(place) {
    current = Math.min(Math.max(place, 0), rows.length - 1);
    const step = wide + CAPTION + GAP;
    const y = Math.floor(current / columns) * step;
    if (y < view.scrollTop) view.scrollTop = y;
    if (y + step > view.scrollTop + view.clientHeight) view.scrollTop = y + step - view.clientHeight;
    show();
    for (const one of list.querySelectorAll("button")) one.tabIndex = -1;
    const button = list.querySelector(`[data-place="${current}"] button`);
    button.tabIndex = 0;
    button.focus({ preventScroll: true });
  }

  view.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(view.clientHeight / (wide + CAPTION + GAP))) * columns;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    Object.assign(steps, { PageUp: -page, PageDown: page, Home: -rows.length, End: rows.length });
    if (!(event.key in steps) || !rows.length) return;
    event.preventDefault();
    goTo(current + steps[event.key]);
  });
  let waiting = false;
  view.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      show();
    });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => (event.target === fields.zoom ? layOut() : update()));
  form.addEventListener("reset", () => setTimeout(() => all_shown()));
  chosen.querySelector("button").addEventListener("click", () => all_shown());

  function all_shown() {
    selection = null;
    update();
  }

  // Sets the form to its defaults but for what is given; see report_pictures.js.
  function filter(given = {}) {
    selection = null;
    cleared();
    fields.true.value = given.true ?? "";
    fields.predicted.value = given.predicted ?? "";
    fields.answer.value = given.wrong === undefined ? "" : given.wrong ? "wrong" : "right";
    fields.text.value = given.group ?? "";
    fields.finding.value = given.finding ?? "";
    fields.slice.value = given.slice ? JSON.stringify(given.slice) : "";
    fields.low.value = given.low === undefined ? "" : given.low / 10;
    fields.high.value = given.high === undefined ? "" : given.high / 10;
    update();
    comeIntoView();
  }

  function select({ rows: some, label = "" }) {
    cleared();
    selection = { rows: [...some], label };
    update();
    comeIntoView();
  }

  function cleared() {
    const kept = [fields.sort.value, fields.zoom.value];
    for (const one of fields) if (one.name) one.value = one.tagName === "SELECT" ? one.options[0].value : one.defaultValue;
    [fields.sort.value, fields.zoom.value] = kept;
  }

  function comeIntoView() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    form.closest("section").scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  }

  Object.assign(trackbed, { filter, select, shown: () => rows, goTo, described });
  document.getElementById("gallery").classList.add("with-script");
  form.hidden = view.hidden = false;
  fill();
  update(false);
  let room = list.clientWidth;
  new ResizeObserver(() => {
    if (list.clientWidth === room) return show();
    room = list.clientWidth;
    const focused = list.contains(document.activeElement);
    layOut();
    if (focused) goTo(current);
  }).observe(view);
}
