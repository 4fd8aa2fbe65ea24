// Precision-recall and ROC curve of a class; a place in one is the same threshold in the other.
if (document.getElementById("class-curves")) {
  const { classes, scale, images } = JSON.parse(document.getElementById("class-curves").textContent);
  const form = document.getElementById("curve-class");
  const select = form.querySelector("select");
  const values = (list) => list.map((value) => value / scale);
  const share = (value) => value.toFixed(3);
  const charts = [];
  let [one, thresholds] = [null, []];

  function areaText(name, [value, low, high]) {
    const between = low === null ? "" : ` (${low.toFixed(2)} to ${high.toFixed(2)})`;
    return `${name} ${share(value)}${between}`;
  }

  function parts(across, up, label, colour) {
    return {
      data: [values(one[across]), values(one[up])],
      series: [{ label, colour }],
      head: (place) => {
        const hit = (one.recall[place] / scale) * one.support;
        const alarms = (one.alarms[place] / scale) * (images - one.support);
        const counts = `${Math.round(hit)} right, ${Math.round(alarms)} wrong`;
        return `from ${share(thresholds[place])} on: ${counts}`;
      },
      idle: middle(),
    };
  }

  // The place of the highest F1.
  function middle() {
    const f1 = one.precision.map((p, place) => (p * one.recall[place]) / (p + one.recall[place] || 1));
    return f1.indexOf(Math.max(...f1));
  }
  const precision = () => parts("recall", "precision", "precision", "--blue");
  const hits = () => parts("alarms", "recall", "true-positive rate", "--blue");

  const moved = (place) => charts.forEach((chart) => chart.show(place));
  const whole = () => [0, 1.02];

  function choose(place) {
    one = classes[place];
    thresholds = values(one.threshold);
    form.querySelector("[data-part=precision_recall]").textContent = areaText("AP", one.average_precision);
    form.querySelector("[data-part=roc]").textContent = areaText("AUROC", one.auroc);
    if (!charts.length) return start();
    charts[0].change(precision());
    charts[1].change(hits());
  }

  function start() {
    const figure = (name) => document.querySelector(`[data-chart=${name}]`);
    const common = { nearest: true, moved };
    const axis = (label) => ({ label, range: whole, text: (value) => value.toFixed(1) });
    const y = { range: whole, text: share, ticks: (value) => value.toFixed(1) };
    charts.push(
      trackbed.chart(figure("precision_recall"), {
        ...common, ...precision(), title: "Precision by recall", x: axis("recall"), y: { ...y, label: "precision" },
      }),
      trackbed.chart(figure("roc"), {
        ...common, ...hits(), title: "ROC", x: axis("false-positive rate"), y: { ...y, label: "true-positive rate" },
      }),
    );
  }

  classes.forEach(({ name, average_precision: [area] }, place) => {
    const short = name.length > 50 ? `${name.slice(0, 49)}…` : name;
    select.add(new Option(`${short} · AP ${share(area)}`, place));
  });
  select.addEventListener("input", () => choose(Number(select.value)));
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const button of document.querySelectorAll("button[data-curve]")) {
    button.disabled = false;
    button.addEventListener("click", () => {
      select.value = button.dataset.curve;
      choose(Number(select.value));
      form.scrollIntoView({ block: "nearest" });
    });
  }
  form.hidden = false;
  choose(0);
}
