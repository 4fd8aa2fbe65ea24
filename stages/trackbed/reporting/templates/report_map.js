// The map of the test part: points on a canvas, their pictures, and a lasso that fills the gallery.
if (document.getElementById("point-map") && trackbed.pictures()?.count) {
  const data = trackbed.pictures();
  const place = document.getElementById("point-map");
  const canvas = place.querySelector("canvas");
  const controls = place.querySelector("form").elements;
  const side = document.getElementById("map-point");
  const float = document.getElementById("map-float");
  const status = document.getElementById("map-marked");
  const legend = document.getElementById("map-legend");
  const button = (name) => place.querySelector(`button[name=${name}]`);
  const brush = canvas.getContext("2d");
  const points = document.createElement("canvas"); // without what is chosen, so that it is kept
  const under = points.getContext("2d");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const SAFE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a500", "#7f7f7f"];
  const MARGIN = 14;
  const NEAREST = 25;
  const all = [...data.file.keys()];
  const wrong = trackbed.wrong;
  let view = { scale: 1, x: 0.5, y: 0.5 }; // what lies in the middle, in 0..1
  let shown = all;
  let marked = new Set();
  let inGallery = null; // the rows that the gallery shows, where these are not all
  let current = -1;
  let pixels = 1; // of the canvas, in CSS pixels
  let radius = 1; // of a point

  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  const many = (count, name) => `${count.toLocaleString("en")} ${name}${count === 1 ? "" : "s"}`;
  const ofClass = (label) => data.classes.length <= SAFE.length
    ? SAFE[label]
    : `hsl(${(label * 137.5) % 360} 65% ${dark.matches ? 62 : 42}%)`;
  const ofConfidence = (value) => `hsl(${240 - 0.19 * value} 70% ${dark.matches ? 62 : 45}%)`;

  function colours() {
    const [right, other] = [variable("--blue"), variable("--orange")];
    return {
      true: (row) => ofClass(data.true[row]),
      predicted: (row) => ofClass(data.predicted[row]),
      wrong: (row) => (wrong(row) ? other : right),
      confidence: (row) => ofConfidence(data.confidence[row]),
    }[controls.colour.value];
  }

  const onScreen = (row) => {
    const at = (value, middle) =>
      pixels / 2 + (value / 1000 - middle) * view.scale * (pixels - 2 * MARGIN);
    return [at(data.x[row], view.x), at(data.y[row], view.y)];
  };

  function draw() {
    const ratio = devicePixelRatio || 1;
    pixels = canvas.clientWidth;
    points.width = points.height = canvas.width = canvas.height = pixels * ratio;
    under.setTransform(ratio, 0, 0, ratio, 0, 0);
    radius = Math.min(6, Math.max(1.6, 60 / Math.sqrt(shown.length || 1)) * Math.sqrt(view.scale));
    const colour = colours();
    const [ink, paper] = [variable("--ink"), variable("--paper")];
    for (const row of shown) if (!wrong(row)) dot(row, radius, colour(row));
    for (const row of shown) {
      if (!wrong(row)) continue;
      dot(row, Math.max(3, radius), colour(row));
      if (controls.colour.value === "wrong") continue;
      ring(row, Math.max(3, radius) + 1, paper, 1.5);
      ring(row, Math.max(3, radius) + 2.5, controls.colour.value === "true" ? ofClass(data.predicted[row]) : ink, 2);
    }
    for (const row of shown) if (marked.has(row)) ring(row, radius + 2, ink, 2);
    under.globalAlpha = 1;
    drawChosen();
  }

  function dot(row, size, colour) {
    const [x, y] = onScreen(row);
    under.globalAlpha = !inGallery || inGallery.has(row) ? 1 : 0.15;
    under.fillStyle = colour;
    under.beginPath();
    under.arc(x, y, size, 0, 7);
    under.fill();
  }

  function ring(row, size, colour, width) {
    const [x, y] = onScreen(row);
    under.globalAlpha = !inGallery || inGallery.has(row) ? 1 : 0.15;
    under.strokeStyle = colour;
    under.lineWidth = width;
    under.beginPath();
    under.arc(x, y, size, 0, 7);
    under.stroke();
  }

  function drawChosen() {
    const ratio = canvas.width / pixels;
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, canvas.width, canvas.height);
    if (canvas.width) brush.drawImage(points, 0, 0);
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    brush.strokeStyle = variable("--ink");
    if (dragged?.path) drawLasso();
    const visible = current >= 0 && shown.includes(current);
    float.hidden = !visible;
    if (!visible) return;
    const [x, y] = onScreen(current);
    brush.lineWidth = 2;
    brush.beginPath();
    brush.arc(x, y, radius + 8, 0, 7);
    brush.stroke();
    const wide = 100;
    const left = x + 20 + wide > pixels ? x - 20 - wide : x + 20;
    float.style.left = `${Math.min(Math.max(left, 2), pixels - wide - 2)}px`;
    float.style.top = `${Math.min(Math.max(y - wide / 2, 2), pixels - wide - 2)}px`;
  }

  function drawLasso() {
    brush.lineWidth = 1.5;
    brush.setLineDash([5, 4]);
    brush.beginPath();
    dragged.path.forEach(([x, y], step) => (step ? brush.lineTo(x, y) : brush.moveTo(x, y)));
    brush.closePath();
    brush.stroke();
    brush.setLineDash([]);
    brush.fillStyle = "rgb(128 128 128 / .15)";
    brush.fill();
  }

  function choose(row) {
    if (row === current) return;
    current = row;
    if (row >= 0) {
      float.replaceChildren(trackbed.thumbnail(row));
      side.replaceChildren(description(row));
    }
    drawChosen();
  }

  function description(row) {
    const text = document.createElement("p");
    const name = (label) => short(data.classes[label], 60);
    const sure = `${Math.round(data.confidence[row] / 10)} %`;
    const lines = wrong(row)
      ? [`✗ wrong ${sure}`, `true: ${name(data.true[row])}`, `predicted: ${name(data.predicted[row])}`]
      : [`✓ right ${sure}`, name(data.true[row])];
    for (const line of [...lines, short(data.file[row], 80)]) {
      text.append(line, document.createElement("br"));
    }
    return text;
  }

  function mark(rows) {
    marked = rows;
    const wrongs = [...rows].filter(wrong).length;
    status.textContent = rows.size
      ? `${many(rows.size, "picture")} marked, ${wrongs.toLocaleString("en")} wrong`
      : "No picture is marked.";
    button("gallery").disabled = button("clear").disabled = !rows.size;
    draw();
  }

  function showMarked() {
    const rows = [...marked].sort((a, b) => a - b);
    if (rows.length) trackbed.select({ rows, label: `${many(rows.length, "picture")} of the map` });
  }

  const distance = (row, x, y) => {
    const [left, top] = onScreen(row);
    return (left - x) ** 2 + (top - y) ** 2;
  };

  function nearest(x, y, reach) {
    let [best, found] = [reach * reach, -1];
    for (const row of shown) {
      const one = distance(row, x, y);
      if (one < best) [best, found] = [one, row];
    }
    return found;
  }

  function neighbours(row) {
    const [x, y] = onScreen(row);
    return [...shown].sort((a, b) => distance(a, x, y) - distance(b, x, y)).slice(0, NEAREST);
  }

  // The next point to one side: near, and not far off that direction.
  function towards(right, down) {
    const from = onScreen(current);
    let [best, found] = [Infinity, -1];
    for (const row of shown) {
      const [x, y] = onScreen(row);
      const along = (x - from[0]) * right + (y - from[1]) * down;
      const aside = Math.abs((x - from[0]) * down + (y - from[1]) * right);
      const cost = along + 2 * aside;
      if (row !== current && along > 0.5 && aside <= along && cost < best) [best, found] = [cost, row];
    }
    return found;
  }

  function nextMistake() {
    const those = shown.filter(wrong).sort((a, b) => data.confidence[b] - data.confidence[a]);
    return those.length ? those[(those.indexOf(current) + 1) % those.length] : -1;
  }

  function zoom(factor, middle) {
    view.scale = Math.min(40, Math.max(1, view.scale * factor));
    if (middle >= 0) [view.x, view.y] = [data.x[middle] / 1000, data.y[middle] / 1000];
    if (view.scale === 1) [view.x, view.y] = [0.5, 0.5];
    draw();
  }

  function toggle() {
    if (current < 0) return;
    const rows = new Set(marked);
    if (!rows.delete(current)) rows.add(current);
    mark(rows);
  }

  const keys = {
    ArrowLeft: () => go(-1, 0), ArrowRight: () => go(1, 0), ArrowUp: () => go(0, -1), ArrowDown: () => go(0, 1),
    m: () => visit(nextMistake()), Enter: () => current >= 0 && trackbed.open(current),
    "+": () => zoom(1.5, current), "-": () => zoom(1 / 1.5, current), 0: () => zoom(0, -1),
    " ": toggle, s: showMarked, Escape: () => mark(new Set()),
    n: () => current >= 0 && mark(new Set([...marked, ...neighbours(current)])),
  };
  function go(right, down) {
    visit(current < 0 || !shown.includes(current) ? shown[0] ?? -1 : towards(right, down));
  }
  function visit(row) {
    if (row < 0) return;
    choose(row);
    if (onScreen(row).some((value) => value < 0 || value > pixels)) zoom(1, row);
  }
  canvas.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!keys[key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[key]();
  });

  let dragged = null; // where the pointer went down, what lay in the middle, and the lasso
  canvas.addEventListener("pointerdown", (event) => {
    dragged = { x: event.offsetX, y: event.offsetY, view: { ...view }, moved: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = [event.offsetX, event.offsetY];
    const far = dragged && event.buttons && Math.hypot(x - dragged.x, y - dragged.y) > 5;
    if (far && !dragged.moved) {
      dragged.moved = true;
      canvas.setPointerCapture(event.pointerId);
      if (controls.drag.value === "lasso") dragged.path = [[dragged.x, dragged.y]];
    }
    if (dragged?.moved && event.buttons) return dragged.path ? lasso(x, y) : move(x, y);
    const row = nearest(x, y, 14);
    if (row >= 0) choose(row);
  });

  function lasso(x, y) {
    dragged.path.push([x, y]);
    drawChosen();
  }

  function move(x, y) {
    const unit = view.scale * (pixels - 2 * MARGIN);
    view.x = Math.min(1, Math.max(0, dragged.view.x - (x - dragged.x) / unit));
    view.y = Math.min(1, Math.max(0, dragged.view.y - (y - dragged.y) / unit));
    draw();
  }

  canvas.addEventListener("pointerup", (event) => {
    if (!dragged?.path) return;
    const inside = shown.filter((row) => within(dragged.path, ...onScreen(row)));
    dragged.path = null;
    mark(new Set([...(event.shiftKey ? marked : []), ...inside]));
  });
  canvas.addEventListener("pointercancel", () => {
    dragged = null;
    drawChosen();
  });

  // Whether a point lies in a polygon: a ray from it crosses the border an odd number of times.
  function within(path, x, y) {
    let inside = false;
    path.forEach(([x1, y1], step) => {
      const [x0, y0] = path.at(step - 1);
      if (y0 > y !== y1 > y && x < ((x0 - x1) * (y - y1)) / (y0 - y1) + x1) inside = !inside;
    });
    return inside;
  }

  canvas.addEventListener("click", (event) => {
    const row = dragged?.moved ? -1 : nearest(event.offsetX, event.offsetY, 14);
    dragged = null;
    if (row < 0) return;
    choose(row);
    trackbed.open(row);
  });

  function change() {
    const label = controls.class.selectedIndex - 1;
    const only = controls.wrong.checked;
    shown = all.filter((row) => (label < 0 || data.true[row] === label) && (!only || wrong(row)));
    canvas.style.touchAction = controls.drag.value === "lasso" ? "none" : "pan-y";
    paint();
  }

  function items() {
    const by = controls.colour.value;
    if (by === "wrong") return [["right", variable("--blue")], ["wrong", variable("--orange")]];
    if (by === "confidence") {
      return [0, 250, 500, 750, 1000].map((value) => [`${value / 10} %`, ofConfidence(value)]);
    }
    return data.classes.map((name, label) => [short(name, 40), ofClass(label)]);
  }

  function paint() {
    legend.replaceChildren(...items().map(([text, colour]) => {
      const [item, spot] = [document.createElement("li"), document.createElement("span")];
      spot.style.background = colour;
      item.append(spot, text);
      return item;
    }));
    draw();
  }

  place.querySelector("form").addEventListener("change", change);
  place.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  button("in").addEventListener("click", () => zoom(1.5, current));
  button("out").addEventListener("click", () => zoom(1 / 1.5, current));
  button("whole").addEventListener("click", () => zoom(0, -1));
  button("gallery").addEventListener("click", showMarked);
  button("clear").addEventListener("click", () => mark(new Set()));
  document.addEventListener("trackbed:selection", ({ detail }) => {
    inGallery = detail.rows.length < data.count ? new Set(detail.rows) : null;
    draw();
  });

  for (const name of data.classes) controls.class.add(new Option(short(name, 40)));
  if (matchMedia("(pointer: coarse)").matches) controls.drag.value = "move"; // a finger scrolls
  place.hidden = false;
  document.getElementById("map-plain").hidden = true;
  new ResizeObserver(draw).observe(canvas);
  dark.addEventListener("change", paint);
  mark(new Set());
  change();
}
