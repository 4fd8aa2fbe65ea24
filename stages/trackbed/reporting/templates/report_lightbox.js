// The lightbox: one picture large, with its probabilities and what is known of it.
if (trackbed.pictures()) {
  const data = trackbed.pictures();
  const dialog = document.getElementById("lightbox");
  const place = (name) => dialog.querySelector(`[data-part=${name}]`);
  const BARS = 8; // classes that are listed, and the true one
  let row = 0;

  const make = (tag, text, className = "") =>
    Object.assign(document.createElement(tag), { textContent: text, className });

  function open(wanted) {
    row = wanted;
    show();
    if (!dialog.open) dialog.showModal();
  }

  function show() {
    place("picture").replaceChildren(trackbed.thumbnail(row));
    place("title").replaceChildren(...title());
    place("bars").replaceChildren(...bars());
    place("facts").replaceChildren(...facts());
    const rows = trackbed.shown();
    const at = rows.indexOf(row);
    place("place").textContent = at < 0 ? "" : `${at + 1} of ${rows.length}`;
    place("previous").disabled = at <= 0;
    place("next").disabled = at < 0 || at === rows.length - 1;
  }

  function title() {
    const [own, predicted] = [data.classes[data.true[row]], data.classes[data.predicted[row]]];
    if (!trackbed.wrong(row)) return [make("span", "✓ right", "sign right"), make("bdi", own)];
    const arrow = [make("bdi", own), make("span", "predicted as"), make("bdi", predicted)];
    return [make("span", "✗ wrong", "sign wrong"), ...arrow];
  }

  function bars() {
    const shares = trackbed.probabilities(row);
    const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
    const listed = order.slice(0, BARS).filter((label, rank) => shares[label] || rank < 2);
    if (!listed.includes(data.true[row])) listed.push(data.true[row]);
    return listed.map((label) => {
      const item = make("li", "");
      const share = shares[label];
      item.className = label === data.true[row] ? "true" : label === data.predicted[row] ? "wrong" : "";
      const text = share && share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`;
      item.append(make("bdi", data.classes[label]), make("span", text, "n"));
      item.style.setProperty("--share", `${100 * share}%`);
      if (label === data.true[row]) item.append(make("span", "true class", "quiet small"));
      return item;
    });
  }

  function facts() {
    const found = [["File", data.file[row]]];
    const group = data.groups[data.group[row]];
    if (group !== data.file[row]) found.push(["Group", group]);
    const findings = Object.keys(data.findings).filter((name) => data.findings[name].includes(row));
    if (findings.length) found.push(["Findings", findings.join(", ")]);
    const slices = Object.entries(data.slices).flatMap(([kind, values]) =>
      Object.keys(values).filter((name) => values[name].includes(row)).map((name) => `${kind} ${name}`));
    if (slices.length) found.push(["Slices", slices.join(", ")]);
    return found.flatMap(([name, text]) => [make("dt", name), make("dd", text)]);
  }

  function move(step) {
    const rows = trackbed.shown();
    const at = rows.indexOf(row) + step;
    if (at >= 0 && at < rows.length) open(rows[at]);
  }

  place("previous").addEventListener("click", () => move(-1));
  place("next").addEventListener("click", () => move(1));
  place("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key in steps) {
      event.preventDefault();
      move(steps[event.key]);
    }
  });
  dialog.addEventListener("close", () => {
    const at = trackbed.shown().indexOf(row);
    if (at >= 0) trackbed.goTo(at);
  });
  trackbed.open = open;
}
