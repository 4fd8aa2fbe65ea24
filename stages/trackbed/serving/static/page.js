"use strict";
// Sends each picture to /predict and shows the answer. Text of others only ever becomes textContent.

const AT_ONCE = 3; // requests
const MOST_TRIES = 20; // where the server is busy
const SHOWN_CLASSES = 5;
const UNUSUAL = 0.95; // novelty
const find = (name) => document.querySelector(name);
const results = find("#results");
const waiting = [];
let token = "", running = 0, done = 0, total = 0;

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function percent(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  if (share < 1 && share >= 0.9995) return "> 99.9 %";
  return (100 * share).toFixed(1) + " %";
}

function headers() {
  return token ? { Authorization: "Bearer " + token } : {};
}

async function asked(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { ...headers(), ...options.headers } });
  if (response.status === 401) {
    find("#access").hidden = false;
    find("#token").focus();
  }
  return response;
}

async function showModel() {
  const response = await asked("/v2/repository/index", { method: "POST" });
  if (!response.ok) return;
  const [model] = await response.json();
  const facts = (await (await asked("/v2/models/" + encodeURIComponent(model.name))).json()).parameters;
  find("#model").textContent = `${facts.network}, version ${model.version}: ${facts.classes}`;
}

function add(files) {
  for (const file of files) {
    const card = element("li", "", "card");
    card.tabIndex = 0;
    const name = element("div", "", "name");
    const remove = element("button", "×");
    remove.type = "button";
    remove.setAttribute("aria-label", "Remove " + file.name);
    remove.addEventListener("click", () => removed(card));
    name.append(element("span", file.name || "pasted picture"), remove);
    const picture = element("div", "", "picture");
    const image = new Image();
    image.alt = file.name || "pasted picture";
    image.addEventListener("load", () => {
      if (image.naturalWidth < 180) picture.classList.add("small");
      drawMap(card);
    });
    image.addEventListener("error", () =>
      picture.replaceChildren(element("p", "This browser cannot show this file.", "missing quiet")));
    image.src = URL.createObjectURL(file);
    picture.append(image);
    card.append(name, picture, element("div", "waiting …", "answer quiet"));
    results.append(card);
    waiting.push({ card, file });
    total += 1;
  }
  find("#clear").hidden = !results.children.length;
  showStatus();
  next();
}

function removed(card) {
  const neighbour = card.nextElementSibling || card.previousElementSibling || find("#files");
  const image = card.querySelector("img");
  if (image) URL.revokeObjectURL(image.src);
  card.remove();
  find("#clear").hidden = !results.children.length;
  neighbour.focus();
}

function showStatus() {
  find("#status").textContent = total ? `${done} of ${total} pictures answered` : "";
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    const job = waiting.shift();
    if (!job.card.isConnected) { done += 1; continue; }
    running += 1;
    predicted(job).finally(() => { running -= 1; done += 1; showStatus(); next(); });
  }
  showStatus();
}

async function predicted({ card, file }) {
  const answer = card.querySelector(".answer");
  try {
    let response;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      response = await asked("/predict?activation=true", {
        method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });
      if (response.status !== 503) break;
      const seconds = Number(response.headers.get("Retry-After")) || 1;
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    }
    const found = await response.json();
    if (!response.ok) throw new Error(found.error);
    show(card, answer, found.results[0]);
  } catch (problem) {
    const text = problem instanceof TypeError ? "The server cannot be reached." : problem.message;
    answer.className = "answer failed";
    answer.replaceChildren(element("p", text));
  }
}

function show(card, answer, found) {
  answer.className = "answer";
  const title = element("h2", `${found.class} ${percent(found.confidence)}`);
  answer.replaceChildren(title);
  if (found.refused) answer.append(element("p", "refused: not sure enough", "tag"));
  if (found.novelty !== null) answer.append(element("p", noveltyText(found.novelty), "small novelty"));
  const shares = element("ul", "", "shares");
  const sorted = Object.entries(found.probabilities).sort((a, b) => b[1] - a[1]);
  for (const [name, share] of sorted.slice(0, SHOWN_CLASSES)) {
    const meter = element("meter");
    meter.value = share;
    meter.setAttribute("aria-hidden", "true");
    const line = element("li");
    line.append(element("span", name), meter, element("span", percent(share), "value"));
    shares.append(line);
  }
  answer.append(shares);
  if (sorted.length > SHOWN_CLASSES) {
    answer.append(element("p", `and ${sorted.length - SHOWN_CLASSES} more classes`, "quiet small"));
  }
  card.activation = found.activation;
  drawMap(card);
}

function noveltyText(novelty) {
  const found = `farther from the training pictures than ${percent(novelty)} of held-out pictures`;
  return novelty >= UNUSUAL ? `Unlike anything trained on: ${found}.` : `Novelty: ${found}.`;
}

// Viridis (matplotlib), coarse.
const COLOURS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

function colour(share) {
  const place = share * (COLOURS.length - 1);
  const low = Math.min(Math.floor(place), COLOURS.length - 2);
  return COLOURS[low].map((value, i) => value + (place - low) * (COLOURS[low + 1][i] - value));
}

function drawMap(card) {
  const picture = card.querySelector(".picture"), image = picture.querySelector("img");
  picture.querySelector("canvas")?.remove();
  if (!find("#map").checked || !card.activation || !image?.naturalWidth) return;
  const rows = card.activation, width = rows[0].length;
  const small = new ImageData(width, rows.length);
  rows.flat().forEach((share, i) => small.data.set([...colour(share), 170 * Math.min(1, share / 0.6)], 4 * i));
  const source = element("canvas");
  [source.width, source.height] = [width, rows.length];
  source.getContext("2d").putImageData(small, 0, 0);
  const canvas = element("canvas");
  const scale = 256 / Math.max(image.naturalWidth, image.naturalHeight);
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  picture.append(canvas);
}

find("#files").addEventListener("change", (event) => { add([...event.target.files]); event.target.value = ""; });
find("#map").addEventListener("change", () => [...results.children].forEach(drawMap));
find("#clear").addEventListener("click", () => {
  waiting.length = 0;
  [...results.children].forEach(removed);
  done = total = 0;
  showStatus();
});
find("#access").addEventListener("submit", (event) => {
  event.preventDefault();
  token = find("#token").value;
  find("#access").hidden = true;
  showModel();
});
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => { event.preventDefault(); document.body.classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) {
  addEventListener(kind, (event) => { event.preventDefault(); document.body.classList.remove("over"); });
}
addEventListener("drop", (event) => add([...event.dataTransfer.files]));
addEventListener("paste", (event) => add([...event.clipboardData.files]));
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.type === "password") return;
  const card = event.target.closest?.(".card");
  if (event.key === "o" || event.key === "O") find("#files").click();
  else if (event.key === "m" || event.key === "M") find("#map").click();
  else if (card && event.key === "ArrowRight") card.nextElementSibling?.focus();
  else if (card && event.key === "ArrowLeft") card.previousElementSibling?.focus();
  else if (card && event.key === "Delete") removed(card);
  else return;
  event.preventDefault();
});
showModel();
