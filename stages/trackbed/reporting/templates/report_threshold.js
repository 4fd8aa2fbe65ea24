// The slider of the confidence threshold: what is refused below it, and how right the rest is.
if (document.getElementById("threshold") && trackbed.pictures()?.count) {
  const data = trackbed.pictures();
  const place = document.getElementById("threshold");
  const slider = place.querySelector("[type=range]");
  const exact = place.querySelector("[type=number]");
  const part = (name) => place.querySelector(`[data-part=${name}]`);
  const MOST_ROWS = 100;
  const STEP = 5; // of the chart's thresholds
  const percent = (value) => (Number.isNaN(value) ? "n/a" : `${(100 * value).toFixed(1)} %`);
  const share = (value) => (Number.isNaN(value) ? "n/a" : value.toFixed(3));
  const many = (count, name) => `${count.toLocaleString("en")} ${name}${count === 1 ? "" : "s"}`;
  const rights = [...data.file.keys()].map((row) => !trackbed.wrong(row));

  // Of each threshold 0 to 1000, and a last one above all: pictures at or above it, and right ones.
  const [kept, right] = [new Array(1002).fill(0), new Array(1002).fill(0)];
  data.confidence.forEach((sure, row) => {
    kept[sure] += 1;
    right[sure] += rights[row];
  });
  for (let at = 1000; at >= 0; at--) {
    kept[at] += kept[at + 1];
    right[at] += right[at + 1];
  }

  // Per class: its pictures, and those at or above a threshold that are of it, predicted, both.
  function counts(threshold) {
    const found = data.classes.map(() => ({ images: 0, answered: 0, called: 0, hit: 0 }));
    for (let row = 0; row < data.count; row++) {
      found[data.true[row]].images += 1;
      if (data.confidence[row] < threshold) continue;
      found[data.true[row]].answered += 1;
      found[data.predicted[row]].called += 1;
      if (rights[row]) found[data.true[row]].hit += 1;
    }
    return found;
  }

  const listed = (() => {
    const f1 = counts(0).map((one) => (one.images ? (2 * one.hit) / (one.images + one.called) : 2));
    const labels = [...f1.keys()].sort((a, b) => f1[a] - f1[b] || a - b).slice(0, MOST_ROWS);
    return labels.map((label) => ({ label, cells: row(label) }));
  })();
  part("some").hidden = listed.length === data.classes.length;

  function row(label) {
    const line = part("classes").insertRow();
    const head = Object.assign(document.createElement("th"), { scope: "row", className: "class" });
    head.append(Object.assign(document.createElement("bdi"), { textContent: data.classes[label] }));
    line.append(head);
    const cell = (className) => Object.assign(line.insertCell(), { className: `n ${className}` });
    return { precision: cell("f1"), recall: cell("f1"), answered: cell(""), images: cell("") };
  }

  const at = [];
  for (let threshold = 0; threshold <= 1000; threshold += STEP) at.push(threshold);
  const marks = (threshold) => {
    const found = [{ x: threshold / 1000, colour: "--ink", solid: true, width: 2 }];
    if (data.threshold !== null) {
      found.push({ x: data.threshold / 1000, label: "chosen", colour: "--orange" });
    }
    return found;
  };
  const chart = trackbed.chart(document.querySelector("[data-chart=coverage]"), {
    title: "Accuracy and coverage by threshold",
    x: { label: "threshold", range: () => [0, 1] },
    y: { text: share, ticks: (value) => value.toFixed(2), range: (low) => [Math.max(0, Math.min(0.9, Math.floor(10 * low) / 10)), 1] },
    data: [
      at.map((threshold) => threshold / 1000),
      at.map((threshold) => (kept[threshold] ? right[threshold] / kept[threshold] : null)),
      at.map((threshold) => kept[threshold] / data.count),
    ],
    series: [
      { label: "accuracy of the kept", colour: "--blue" },
      { label: "coverage", colour: "--muted", dash: [6, 4] },
    ],
    head: (place) => `threshold ${(at[place] / 1000).toFixed(3)}`,
    idle: 0,
    marks: marks(0),
    clicked: (place) => set(at[place]),
  });

  function set(threshold) {
    slider.value = threshold;
    exact.value = (threshold / 1000).toFixed(3);
    const text = `${percent(kept[threshold] / data.count)} of the images kept, accuracy ${share(right[threshold] / kept[threshold])}`;
    slider.setAttribute("aria-valuetext", `${exact.value}: ${text}`);
    const refused = data.count - kept[threshold];
    const mistakes = kept[0] - right[0];
    const left = kept[threshold] - right[threshold];
    part("coverage").textContent = percent(kept[threshold] / data.count);
    part("kept").textContent = `${many(kept[threshold], "image")} of ${data.count.toLocaleString("en")}`;
    part("accuracy").textContent = share(right[threshold] / kept[threshold]);
    part("accuracy-all").textContent = `${share(right[0] / data.count)} without a threshold`;
    part("refused").textContent = refused.toLocaleString("en");
    part("refused-right").textContent = `${(right[0] - right[threshold]).toLocaleString("en")} of them predicted right`;
    part("mistakes").textContent = left.toLocaleString("en");
    part("mistakes-all").textContent = `of ${many(mistakes, "mistake")}; the others are refused`;
    part("show-refused").disabled = !refused;
    part("show-mistakes").disabled = !left;
    writeClasses(threshold);
    chart.change({ marks: marks(threshold), idle: Math.round(threshold / STEP) });
  }

  function writeClasses(threshold) {
    const found = counts(threshold);
    for (const { label, cells } of listed) {
      const { images, answered, called, hit } = found[label];
      bar(cells.precision, hit / called);
      bar(cells.recall, hit / images);
      cells.answered.textContent = answered.toLocaleString("en");
      cells.images.textContent = images.toLocaleString("en");
    }
  }

  function bar(cell, value) {
    cell.textContent = share(value);
    cell.style.setProperty("--share", `${Number.isNaN(value) ? 0 : 100 * value}%`);
  }

  let waiting = false;
  slider.addEventListener("input", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      set(Number(slider.value));
    });
  });
  exact.addEventListener("change", () => {
    const asked = Math.round(1000 * exact.valueAsNumber);
    set(Number.isNaN(asked) ? Number(slider.value) : Math.min(1000, Math.max(0, asked)));
  });
  part("show-refused").addEventListener("click", () => trackbed.filter({ high: slider.value - 1 }));
  part("show-mistakes").addEventListener("click", () => trackbed.filter({ low: Number(slider.value), wrong: true }));
  const chosen = part("chosen");
  if (data.threshold === null) chosen.hidden = true;
  else {
    chosen.textContent = `chosen: ${(data.threshold / 1000).toFixed(3)}`;
    chosen.addEventListener("click", () => set(data.threshold));
    part("mark").style.setProperty("--at", data.threshold / 1000);
  }
  part("mark").hidden = data.threshold === null;
  place.hidden = false;
  set(data.threshold ?? 0);
}
