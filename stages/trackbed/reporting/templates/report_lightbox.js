// The lightbox: one picture large, with its probabilities and what is known of it.
if (trackbed.pictures()) {
  const data = trackbed.pictures();
  const dialog = document.getElementById("lightbox");
  const part = (name) => dialog.querySelector(`[data-part=${name}]`);
  const BARS = 6; // classes that are listed, beside the true one
  const SMALLEST = 320; // pixels of a picture under a map
  let row = 0;
  let shown = -1; // which map lies over the picture; -1: none. It stays for the next picture.
  let rows = []; // through which the arrow keys go
  let fromGallery = false;

  const make = (tag, text = "", className = "") =>
    Object.assign(document.createElement(tag), { textContent: text, className });
  const className = (label) => make("bdi", data.classes[label]);
  const percent = (share) => (share && share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`);

  // among: rows through which the arrow keys go; map: which one to begin with, -1 for none.
  function open(wanted, among = trackbed.shown(), map = shown) {
    if (!dialog.open) fromGallery = Boolean(document.activeElement?.closest("#gallery-view"));
    [row, rows, shown] = [wanted, among, map];
    showPicture();
    part("title").replaceChildren(...title());
    part("bars").replaceChildren(...bars());
    part("facts").replaceChildren(...facts());
    showNeighbours();
    const at = rows.indexOf(row);
    part("place").textContent = at < 0 ? "" : `${at + 1} of ${rows.length}`;
    part("previous").disabled = at <= 0;
    part("next").disabled = at < 0 || at === rows.length - 1;
    // A disabled button would take the keys with it.
    if (dialog.contains(document.activeElement) && document.activeElement.disabled) part("close").focus();
    if (!dialog.open) dialog.showModal();
  }

  // The classes that a map is there for: the predicted one, and the true one where that is another.
  function explained() {
    const maps = trackbed.closerLook(row)?.maps ?? [];
    const labels = [data.predicted[row], data.true[row]];
    return maps.slice(0, labels[0] === labels[1] ? 1 : 2).map((map, one) => [labels[one], map]);
  }

  function showPicture() {
    const look = trackbed.closerLook(row);
    const of = row;
    const maps = explained();
    const map = maps[Math.min(shown, maps.length - 1)]?.[1];
    if (look?.large) {
      trackbed.image(look.large).then((image) => of === row && place(drawn(image), map));
    } else {
      const small = trackbed.thumbnail(row);
      const wait = () => (small.dataset.ready === "" ? place(map ? drawn(small) : small, map) : setTimeout(later, 20));
      const later = () => of === row && wait();
      later();
    }
    const enlarged = !look?.large && Math.max(data.width[row], data.height[row]) > 1.2 * data.sheets.side;
    part("note").hidden = !enlarged;
    part("note").textContent = enlarged
      ? "A small picture, enlarged: the page holds larger ones of the surest mistakes and of the least sure answers."
      : "";
    part("maps").hidden = !maps.length;
    part("maps").replaceChildren(...buttons(maps));
  }

  function drawn(source) {
    const [width, height] = [source.naturalWidth ?? source.width, source.naturalHeight ?? source.height];
    const scale = Math.max(1, SMALLEST / Math.max(width, height));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.round(scale * width), Math.round(scale * height)];
    canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  function place(canvas, map) {
    if (map) trackbed.overlay(canvas, map);
    canvas.setAttribute("role", "img");
    const what = map ? `What speaks for ${data.classes[explained()[Math.min(shown, explained().length - 1)][0]]} in` : "Test image";
    canvas.setAttribute("aria-label", `${what} ${data.file[row]}`);
    part("picture").replaceChildren(canvas);
  }

  function buttons(maps) {
    if (!maps.length) return [];
    const current = Math.min(shown, maps.length - 1);
    return [["picture", -1], ...maps.map(([label], one) => [label, one])].map(([label, one]) => {
      const button = make("button", one < 0 ? label : "for ");
      button.type = "button";
      if (one >= 0) button.append(className(label));
      button.setAttribute("aria-pressed", one === current);
      button.addEventListener("click", () => showMap(one));
      return button;
    });
  }

  function showMap(one) {
    shown = one;
    const focused = [...part("maps").children].indexOf(document.activeElement);
    showPicture();
    if (focused >= 0) part("maps").children[focused]?.focus();
  }

  function title() {
    if (!trackbed.wrong(row)) return [make("span", "✓ right ", "sign right"), className(data.true[row])];
    const answer = [className(data.true[row]), " predicted as ", className(data.predicted[row])];
    return [make("span", "✗ wrong ", "sign wrong"), ...answer];
  }

  function bars() {
    const shares = trackbed.probabilities(row);
    const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
    const listed = order.slice(0, BARS).filter((label, rank) => shares[label] || rank < 2);
    if (!listed.includes(data.true[row])) listed.push(data.true[row]);
    return listed.map((label) => {
      const kind = label === data.true[row] ? "true" : label === data.predicted[row] ? "wrong" : "";
      const item = make("li", "", kind);
      const name = make("span");
      name.append(className(label), make("span", { true: " true class", wrong: " predicted" }[kind] ?? "", "quiet"));
      item.append(name, make("span", percent(shares[label]), "n"));
      item.style.setProperty("--share", `${100 * shares[label]}%`);
      return item;
    });
  }

  function showNeighbours() {
    const found = trackbed.closerLook(row)?.neighbours ?? [];
    part("near").hidden = !found.length;
    part("neighbours").replaceChildren(...found.map((one) => {
      const picture = one.picture();
      picture.setAttribute("aria-label", `Training image ${one.file}`);
      const kind = one.true === data.true[row] ? "true" : one.true === data.predicted[row] ? "wrong" : "";
      const item = make("li", "", kind);
      item.title = `${one.file}, distance ${one.distance.toFixed(2)}`;
      const frame = make("span", "", "frame");
      frame.append(picture);
      item.append(frame, className(one.true));
      return item;
    }));
  }

  function facts() {
    const found = [["File", data.file[row]], ["Size", `${data.width[row]} × ${data.height[row]} pixels`]];
    const group = data.groups[data.group[row]];
    if (group !== data.file[row]) found.push(["Group", group]);
    const findings = Object.keys(data.findings).filter((name) => data.findings[name].includes(row));
    if (findings.length) found.push(["Findings", findings.join(", ")]);
    const slices = Object.entries(data.slices).flatMap(([kind, values]) =>
      Object.keys(values).filter((name) => values[name].includes(row)).map((name) => `${kind} ${name}`));
    if (slices.length) found.push(["Slices", slices.join(", ")]);
    return found.flatMap(([name, text]) => [make("dt", name), make("dd", text)]);
  }

  function goTo(at) {
    if (at >= 0 && at < rows.length) open(rows[at], rows);
  }

  const move = (step) => goTo(rows.indexOf(row) + step);

  part("previous").addEventListener("click", () => move(-1));
  part("next").addEventListener("click", () => move(1));
  part("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const at = rows.indexOf(row);
    const places = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: rows.length - 1 };
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (Object.hasOwn(places, event.key)) {
      event.preventDefault();
      goTo(places[event.key]);
    } else if (event.key.toLowerCase() === "e" && plain) {
      const count = explained().length;
      if (count) showMap(Math.min(shown, count - 1) + 1 < count ? Math.min(shown, count - 1) + 1 : -1);
    }
  });
  dialog.addEventListener("close", () => {
    const at = trackbed.shown().indexOf(row);
    if (fromGallery && at >= 0) trackbed.goTo(at);
  });
  trackbed.open = open;
}
