// The training curves: values of an epoch in all of them at once, and other runs laid over.
if (document.getElementById("training-curves")) {
  const own = JSON.parse(document.getElementById("training-curves").textContent);
  const others = (fits && context.curves) || [];
  const overlay = document.getElementById("overlay");
  const quantities = { loss: "Loss", accuracy: "Accuracy", macro_f1: "Macro F1" };
  const number = (value) => Number(value.toPrecision(4)).toString();
  const charts = {};
  let chosen = [];

  const padded = (low, high) => {
    const more = 0.05 * (high - low) || 0.05;
    return [low - more, high + more];
  };
  const share = (low, high) => {
    const [bottom, top] = padded(low, high);
    return [Math.max(0, bottom), Math.min(1, Math.max(top, bottom + 0.01))];
  };

  function epochs() {
    const all = new Set(own.epochs);
    for (const run of chosen) {
      for (const { epochs: some } of Object.values(run.curves)) some.forEach((one) => all.add(one));
    }
    return [...all].sort((a, b) => a - b);
  }

  // A curve over other epochs than its own; null where it has none.
  function over(wanted, known, values) {
    const at = new Map(known.map((epoch, place) => [epoch, values[place]]));
    return wanted.map((epoch) => at.get(epoch) ?? null);
  }

  function parts(name) {
    const wanted = epochs();
    const mine = (key) => over(wanted, own.epochs, own.curves[key]);
    const found = name === "learning_rate"
      ? { data: [mine(name)], series: [{ label: "learning rate", colour: "--blue" }] }
      : {
          data: [mine(`train/${name}`), mine(`val/${name}`)],
          series: [
            { label: "training", colour: "--muted", dash: [6, 4] },
            { label: "validation", colour: "--blue", width: 2.5 },
          ],
        };
    for (const run of chosen) {
      const curve = run.curves[name];
      if (!curve) continue;
      found.data.push(over(wanted, curve.epochs, curve.values));
      found.series.push({ label: run.name, colour: run.colour, width: 1.5 });
    }
    const best = wanted.indexOf(own.best);
    return {
      series: found.series,
      data: [wanted, ...found.data],
      idle: best < 0 ? wanted.length - 1 : best,
      head: (place) => `epoch ${wanted[place]}${wanted[place] === own.best ? " (best)" : ""}`,
    };
  }

  function moved(place) {
    for (const one of Object.values(charts)) one.show(place);
  }

  function start(name, title, y) {
    const figure = document.querySelector(`[data-chart="${name}"]`);
    const marks = own.best === null ? [] : [{ x: own.best, colour: "--orange" }];
    const x = { label: "epoch", text: (value) => (Number.isInteger(value) ? String(value) : "") };
    charts[name] = trackbed.chart(figure, { title, x, y, marks, moved, ...parts(name) });
  }

  for (const [name, title] of Object.entries(quantities)) {
    start(name, title, { text: number, range: name === "loss" ? padded : share });
  }
  const rates = own.curves.learning_rate.filter((rate) => rate > 0);
  const log = rates.length === own.epochs.length && Math.max(...rates) > 2 * Math.min(...rates);
  const rate = (value) => (value && value < 1e-3 ? value.toExponential(1) : number(value));
  start("learning_rate", "Learning rate", { text: rate, log });

  others.forEach((run, place) => {
    const box = Object.assign(document.createElement("input"), { type: "checkbox" });
    const label = document.createElement("label");
    const name = Object.assign(document.createElement("bdi"), { textContent: run.name });
    label.append(box, name, ` ${run.kind}`);
    label.title = run.changes;
    overlay.append(label);
    run.colour = trackbed.COLOURS[place % trackbed.COLOURS.length];
    label.style.setProperty("--swatch", run.colour);
    box.checked = place === 0;
    box.addEventListener("change", () => lay(overlay));
  });

  function lay() {
    const boxes = [...overlay.querySelectorAll("input")];
    chosen = others.filter((_, place) => boxes[place].checked);
    for (const name of Object.keys(charts)) charts[name].change(parts(name));
  }
  overlay.hidden = !others.length;
  if (others.length) lay();
}
