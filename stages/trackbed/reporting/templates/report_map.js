"use strict";
// The map of the test part: points on a canvas, their pictures cut out of one image.

const mapData = document.getElementById("map-data");
if (mapData) pointMap(JSON.parse(mapData.textContent));

function pointMap(data) {
  const place = document.getElementById("point-map");
  const canvas = place.querySelector("canvas");
  const controls = place.querySelector("form");
  const side = document.getElementById("map-point");
  const pictures = document.getElementById("map-pictures");
  const brush = canvas.getContext("2d");
  const points = document.createElement("canvas"); // without what is chosen, so that it is kept
  const under = points.getContext("2d");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const SAFE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a500", "#7f7f7f"];
  const all = [...data.x.keys()];
  const wrong = (one) => data.true[one] !== data.predicted[one];
  let view = { scale: 1, x: 0.5, y: 0.5 }; // what lies in the middle, in 0..1
  let shown = all;
  let current = -1;
  let pixels = 1; // of the canvas, in CSS pixels
  let radius = 1; // of a point

  const colour = (label) => data.classes.length <= SAFE.length
    ? SAFE[label]
    : `hsl(${(label * 137.5) % 360} 65% ${dark.matches ? 62 : 42}%)`;
  const short = (text, most) => text.length > most ? text.slice(0, most - 1) + "…" : text;
  const margin = 14;
  const onScreen = (one) => {
    const at = (value, middle) => pixels / 2 + (value / 1000 - middle) * view.scale * (pixels - 2 * margin);
    return [at(data.x[one], view.x), at(data.y[one], view.y)];
  };

  function draw() {
    const ratio = devicePixelRatio || 1;
    pixels = canvas.clientWidth;
    points.width = points.height = canvas.width = canvas.height = pixels * ratio;
    under.setTransform(ratio, 0, 0, ratio, 0, 0);
    radius = Math.min(6, Math.max(1.6, 60 / Math.sqrt(shown.length || 1)) * Math.sqrt(view.scale));
    for (const one of shown) if (!wrong(one)) dot(one, radius);
    for (const one of shown) if (wrong(one)) ringed(one, Math.max(3, radius));
    drawChosen();
  }

  function drawChosen() {
    const ratio = canvas.width / pixels;
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, canvas.width, canvas.height);
    if (canvas.width) brush.drawImage(points, 0, 0);
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (current >= 0 && shown.includes(current)) highlight();
  }

  function dot(one, radius) {
    const [x, y] = onScreen(one);
    under.fillStyle = colour(data.true[one]);
    under.beginPath();
    under.arc(x, y, radius, 0, 7);
    under.fill();
  }

  function ringed(one, radius) {
    const [x, y] = onScreen(one);
    dot(one, radius);
    const paper = getComputedStyle(document.body).backgroundColor;
    for (const [style, wide, width] of [[paper, 1.5, 2], [colour(data.predicted[one]), 4, 3]]) {
      under.strokeStyle = style;
      under.lineWidth = width;
      under.beginPath();
      under.arc(x, y, radius + wide, 0, 7);
      under.stroke();
    }
  }

  function highlight() {
    const [x, y] = onScreen(current);
    brush.strokeStyle = getComputedStyle(document.body).color;
    brush.lineWidth = 2;
    brush.beginPath();
    brush.arc(x, y, radius + 8, 0, 7);
    brush.stroke();
    const wide = Math.min(96, Math.max(64, data.side));
    const left = Math.min(Math.max(x + 16 + wide > pixels ? x - 16 - wide : x + 16, 2), pixels - wide - 2);
    const top = Math.min(Math.max(y - wide / 2, 2), pixels - wide - 2);
    if (cut(brush, current, left, top, wide)) brush.strokeRect(left, top, wide, wide);
  }

  // The picture of a point into a square of a canvas; whether there is one.
  function cut(target, one, left, top, wide) {
    const cell = data.cell[one];
    if (cell < 0 || !pictures.complete) return false;
    const [row, column] = [Math.floor(cell / data.columns), cell % data.columns];
    target.imageSmoothingQuality = "high";
    target.drawImage(
      pictures, column * data.side, row * data.side, data.side, data.side, left, top, wide, wide,
    );
    return true;
  }

  function lines(one) {
    const name = (label) => short(data.classes[label], 60);
    const answer = wrong(one)
      ? ["✗ wrong", `true: ${name(data.true[one])}`, `predicted: ${name(data.predicted[one])}`]
      : ["✓ right", name(data.true[one])];
    answer[0] += ` ${(data.confidence[one] / 10).toFixed(1)} %`;
    return [...answer, short(data.file[one], 80)];
  }

  function described(one, wide) {
    const picture = document.createElement("canvas");
    picture.width = picture.height = wide;
    const text = document.createElement("p");
    for (const line of lines(one)) text.append(line, document.createElement("br"));
    return cut(picture.getContext("2d"), one, 0, 0, wide) ? [picture, text] : [text];
  }

  function choose(one) {
    if (one === current) return;
    current = one;
    if (one >= 0) side.replaceChildren(...described(one, 160));
    drawChosen();
  }

  function enlarge() {
    if (current < 0) return;
    const box = document.getElementById("enlarged");
    box.querySelector("div").replaceChildren(...described(current, 480));
    box.showModal();
  }

  function nearest(x, y, reach) {
    let [best, found] = [reach * reach, -1];
    for (const one of shown) {
      const [left, top] = onScreen(one);
      const distance = (left - x) ** 2 + (top - y) ** 2;
      if (distance < best) [best, found] = [distance, one];
    }
    return found;
  }

  // The next point to one side: near, and not far off that direction.
  function towards(right, down) {
    const from = onScreen(current);
    let [best, found] = [Infinity, -1];
    for (const one of shown) {
      const [x, y] = onScreen(one);
      const along = (x - from[0]) * right + (y - from[1]) * down;
      const aside = Math.abs((x - from[0]) * down + (y - from[1]) * right);
      const cost = along + 2 * aside;
      if (one !== current && along > 0.5 && aside <= along && cost < best) [best, found] = [cost, one];
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

  const keys = {
    ArrowLeft: () => go(-1, 0), ArrowRight: () => go(1, 0), ArrowUp: () => go(0, -1), ArrowDown: () => go(0, 1),
    m: () => visit(nextMistake()), M: () => visit(nextMistake()), Enter: enlarge,
    "+": () => zoom(1.5, current), "-": () => zoom(1 / 1.5, current), 0: () => zoom(0, -1),
  };
  function go(right, down) {
    visit(current < 0 || !shown.includes(current) ? shown[0] ?? -1 : towards(right, down));
  }
  function visit(one) {
    if (one < 0) return;
    choose(one);
    const outside = onScreen(one).some((value) => value < 0 || value > pixels);
    if (outside) zoom(1, one);
  }
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });

  let grabbed = null; // where the pointer went down, and what lay in the middle
  canvas.addEventListener("pointerdown", (event) => {
    grabbed = { x: event.offsetX, y: event.offsetY, view: { ...view }, moved: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    const [right, down] = grabbed ? [event.offsetX - grabbed.x, event.offsetY - grabbed.y] : [0, 0];
    if (grabbed && event.buttons && view.scale > 1 && (grabbed.moved || Math.hypot(right, down) > 5)) {
      const unit = view.scale * (pixels - 2 * margin);
      grabbed.moved = true;
      view.x = Math.min(1, Math.max(0, grabbed.view.x - right / unit));
      view.y = Math.min(1, Math.max(0, grabbed.view.y - down / unit));
      draw();
    } else {
      const one = nearest(event.offsetX, event.offsetY, 14);
      if (one >= 0) choose(one);
    }
  });
  canvas.addEventListener("click", (event) => {
    const one = grabbed?.moved ? -1 : nearest(event.offsetX, event.offsetY, 14);
    grabbed = null;
    if (one < 0) return;
    choose(one);
    enlarge();
  });

  controls.addEventListener("change", () => {
    const label = controls.elements.class.selectedIndex - 1;
    const only = controls.elements.wrong.checked;
    shown = all.filter((one) => (label < 0 || data.true[one] === label) && (!only || wrong(one)));
    draw();
  });
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.elements.in.addEventListener("click", () => zoom(1.5, current));
  controls.elements.out.addEventListener("click", () => zoom(1 / 1.5, current));
  controls.elements.whole.addEventListener("click", () => zoom(0, -1));

  const legend = document.getElementById("map-legend");
  data.classes.forEach((name, label) => {
    controls.elements.class.add(new Option(short(name, 40)));
    const [item, mark] = [document.createElement("li"), document.createElement("span")];
    item.append(mark, short(name, 40));
    legend.append(item);
  });
  const paint = () => {
    legend.querySelectorAll("span").forEach((mark, label) => (mark.style.background = colour(label)));
    draw();
  };
  place.hidden = false;
  document.getElementById("map-plain").hidden = true;
  new ResizeObserver(draw).observe(canvas);
  dark.addEventListener("change", paint);
  pictures.addEventListener("load", draw);
  paint();
}
