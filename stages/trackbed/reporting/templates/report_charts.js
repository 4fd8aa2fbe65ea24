// Charts in place of still figures: the values under the pointer, arrow keys, marks. By uPlot.
//
// trackbed.chart(figure, options) puts a chart into a figure element, before its caption. options:
//   title    of the chart, its name for a screen reader, too
//   x, y     {label, range: (low, high) => [low, high], text: (value) => string, log}; y.ticks: text
//            of the axis alone
//   data     [x values, y values of the first series, ...]; null where a series has no value
//   series   [{label, colour: "--variable" or any colour, dash, width}]
//   head     (place) => text of a place of the data, the first of the line of values
//   idle     the place whose values are shown while no place is pointed at
//   marks    [{x, label, colour}] vertical lines
//   nearest  whether the nearest point counts, not the nearest x
//   moved    (place or null) => ..., called when the reader points at another place
//   clicked  (place) => ...
// It returns {show(place), change(options)}.
{
  const HEIGHT = 250; // pixels
  const FONT = "12px system-ui, sans-serif";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (name) => (name.startsWith("--") ? variable(name) : name);
  const make = (tag, className, text = "") =>
    Object.assign(document.createElement(tag), { className, textContent: text });

  function chart(figure, given) {
    let options = given;
    let plot = null;
    let current = null; // the place that is pointed at
    let forced = null; // the place that `show` goes to
    const readout = make("ul", "readout");
    const place = make("div", "plot");
    const help = "Left and right arrow keys move from value to value.";
    place.tabIndex = 0;
    place.setAttribute("role", "application");
    place.setAttribute("aria-label", `${options.title}. ${help}`);
    figure.querySelector("figcaption").before(make("p", "chart-title", options.title), place, readout);
    figure.classList.add("live");

    const axis = (one, size) => ({
      label: one.label,
      size,
      font: FONT,
      labelFont: FONT,
      labelSize: 20,
      stroke: () => variable("--muted"),
      grid: { stroke: () => variable("--line"), width: 1 },
      ticks: { stroke: () => variable("--line"), width: 1, size: 5 },
      values: one.text && ((_, values) => values.map((value) => ticked(one, value))),
    });

    const ticked = (one, value) => (value === null ? "" : (one.ticks ?? one.text)(value));

    function settings() {
      const { x, y, series, data } = options;
      const few = data[0].length === 1;
      return {
        width: Math.max(200, place.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        padding: [12, 12, 0, 0],
        scales: {
          x: { time: false, range: x.range && ((_, low, high) => x.range(low, high)) },
          y: { distr: y.log ? 3 : 1, range: y.range && ((_, low, high) => y.range(low, high)) },
        },
        axes: [axis(x, 36), axis(y, 56)],
        series: [
          {},
          ...series.map((one) => ({
            label: one.label,
            stroke: () => colour(one.colour),
            width: one.width ?? 2,
            dash: one.dash,
            spanGaps: true,
            points: { show: few },
          })),
        ],
        cursor: {
          drag: { x: false, y: false },
          y: Boolean(options.nearest),
          points: { size: 8 },
          dataIdx: (self, _, closest) => forced ?? (options.nearest ? nearest(self) : closest),
        },
        hooks: { setCursor: [pointed], draw: [drawMarks] },
      };
    }

    function nearest(self) {
      const { left, top } = self.cursor;
      let [best, found] = [Infinity, null];
      options.data[0].forEach((x, at) => {
        const distance =
          (self.valToPos(x, "x") - left) ** 2 + (self.valToPos(options.data[1][at], "y") - top) ** 2;
        if (distance < best) [best, found] = [distance, at];
      });
      return found;
    }

    function pointed(self) {
      const inside = self.cursor.left >= 0;
      const found = inside ? forced ?? (options.nearest ? nearest(self) : self.cursor.idx) : null;
      if (found === current) return;
      current = found;
      write();
      if (forced === null) options.moved?.(current);
    }

    function write() {
      const at = current ?? options.idle;
      readout.replaceChildren(make("li", "head", options.head(at)));
      options.series.forEach((one, place) => {
        const value = options.data[place + 1][at];
        const item = make("li", "");
        const swatch = make("span", one.dash ? "swatch dashed" : "swatch");
        swatch.style.borderColor = colour(one.colour);
        const text = options.y.text ?? ((number) => number.toPrecision(3));
        item.append(swatch, make("bdi", "", one.label), make("b", "", ` ${value == null ? "–" : text(value)}`));
        readout.append(item);
      });
    }

    function drawMarks(self) {
      const ratio = devicePixelRatio || 1;
      const { ctx, bbox } = self;
      ctx.save();
      ctx.font = `${12 * ratio}px system-ui, sans-serif`;
      for (const mark of options.marks ?? []) {
        const x = Math.round(self.valToPos(mark.x, "x", true));
        ctx.strokeStyle = colour(mark.colour);
        ctx.lineWidth = ratio * (mark.width ?? 1);
        ctx.setLineDash(mark.solid ? [] : [3 * ratio, 3 * ratio]);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        const left = x > bbox.left + bbox.width * 0.7;
        ctx.textAlign = left ? "right" : "left";
        if (!mark.label) continue;
        const at = [mark.label, x + (left ? -6 : 6) * ratio, bbox.top + bbox.height - 8 * ratio];
        ctx.setLineDash([]);
        ctx.lineWidth = 5 * ratio;
        ctx.strokeStyle = variable("--paper");
        ctx.strokeText(...at);
        ctx.fillStyle = colour(mark.colour);
        ctx.fillText(...at);
      }
      ctx.restore();
    }

    // Points at a place without a call of `moved`; null: at none.
    function show(at) {
      if (!plot || at === current) return;
      if (at === null) return void plot.setCursor({ left: -10, top: -10 });
      forced = at;
      const own = options.data.findIndex((values, row) => row > 0 && values[at] != null);
      const top = own > 0 ? plot.valToPos(options.data[own][at], "y") : 0;
      plot.setCursor({ left: Math.max(0, plot.valToPos(options.data[0][at], "x")), top });
      forced = null;
    }

    function draw() {
      plot?.destroy();
      current = null;
      plot = new uPlot(settings(), options.data, place);
      plot.root.setAttribute("aria-hidden", "true");
      write();
    }

    function change(wanted) {
      const same = wanted.series === undefined && wanted.data === undefined;
      options = { ...options, ...wanted };
      if (same) plot.redraw(false);
      else draw();
      write();
    }

    place.addEventListener("keydown", (event) => {
      const last = options.data[0].length - 1;
      const from = current ?? options.idle;
      const steps = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last };
      Object.assign(steps, { PageUp: from - 10, PageDown: from + 10 });
      if (event.key === "Enter" && current !== null) options.clicked?.(current);
      if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      show(Math.min(last, Math.max(0, steps[event.key])));
      options.moved?.(current);
    });
    place.addEventListener("focus", () => readout.setAttribute("aria-live", "polite"));
    place.addEventListener("blur", () => readout.removeAttribute("aria-live"));
    place.addEventListener("click", () => current !== null && options.clicked?.(current));
    new ResizeObserver(() => {
      const width = Math.max(200, place.clientWidth);
      if (plot.width !== width) plot.setSize({ width, height: HEIGHT });
    }).observe(place);
    dark.addEventListener("change", () => {
      plot.redraw(false);
      write();
    });
    draw();
    return { show, change };
  }

  trackbed.chart = chart;
  trackbed.COLOURS = ["#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a500", "#8c6bb1", "#7f7f7f"];
}
