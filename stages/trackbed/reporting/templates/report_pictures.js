// All test pictures of the page, for the scripts that follow. Rows count from 0, in the order of
// predictions.csv; confidences, thresholds and positions are whole numbers 0 to 1000.
//
// trackbed.pictures()          what the page knows, a list entry per picture; null without pictures
// trackbed.wrong(row)          whether the prediction is wrong
// trackbed.probabilities(row)  the probabilities of all classes, 0 to 1; small ones are 0
// trackbed.thumbnail(row)      a canvas with the picture, which appears as soon as it is decoded
// trackbed.select({rows, label})  the gallery shows these rows alone, with a label and a way back
// trackbed.filter({true, predicted, wrong, group, finding, slice, low, high})
//     sets the filters of the gallery, each optional; true and predicted: numbers of classes; wrong:
//     true or false; group, finding: names; slice: [column, value]; low, high: confidences
// trackbed.open(row)           the lightbox; its arrow keys go through what the gallery shows
// A change of what the gallery shows fires `trackbed:selection` at the document: detail.rows, and
// detail.label where `select` chose them.
{
  const block = document.getElementById("test-pictures");
  let known = null;
  let offsets = null; // of the first probability of each row
  let packed = null;

  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

  function pictures() {
    if (known || !block) return known;
    known = JSON.parse(block.textContent);
    known.count = known.file.length;
    known.groups ??= known.file;
    known.group ??= [...known.file.keys()];
    for (const kind of Object.keys(known.slices)) {
      const { names, of } = known.slices[kind];
      const values = Object.fromEntries(names.map((name) => [name, []]));
      for (let row = 0; row < known.count; row++) values[names[of[row]]].push(row);
      known.slices[kind] = values;
    }
    const labels = bytes(known.probabilities.labels);
    packed = { labels: new DataView(labels.buffer), values: bytes(known.probabilities.values) };
    offsets = [0];
    for (const count of bytes(known.probabilities.count)) offsets.push(offsets.at(-1) + count);
    delete known.probabilities;
    return known;
  }

  function probabilities(row) {
    const found = new Array(pictures().classes.length).fill(0);
    for (let place = offsets[row]; place < offsets[row + 1]; place++) {
      found[packed.labels.getUint16(2 * place, true)] = packed.values[place] / 255;
    }
    return found;
  }

  const decoded = new Map();

  function image(address) {
    if (!decoded.has(address)) {
      const made = new Image();
      made.src = address;
      decoded.set(address, made.decode().then(() => made));
    }
    return decoded.get(address);
  }

  // A canvas with one cell of sheets of squares, unstretched to its aspect (width by height).
  function cell(sheets, place, aspect) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(sheets.side * Math.min(1, aspect)));
    canvas.height = Math.max(1, Math.round(sheets.side / Math.max(1, aspect)));
    canvas.setAttribute("role", "img");
    const inside = place % sheets.per;
    const x = (inside % sheets.columns) * sheets.side;
    const y = Math.floor(inside / sheets.columns) * sheets.side;
    image(sheets.pictures[Math.floor(place / sheets.per)]).then((whole) => {
      const all = [x, y, sheets.side, sheets.side, 0, 0, canvas.width, canvas.height];
      canvas.getContext("2d").drawImage(whole, ...all);
      canvas.dataset.ready = "";
    });
    return canvas;
  }

  function thumbnail(row) {
    const { sheets, cell: cells, aspect, file } = pictures();
    const canvas = cell(sheets, cells[row], aspect ? aspect[row] / 100 : 1);
    canvas.setAttribute("aria-label", `Test image ${file[row]}`);
    return canvas;
  }

  Object.assign(trackbed, {
    pictures,
    probabilities,
    thumbnail,
    image,
    cell,
    wrong: (row) => pictures().true[row] !== pictures().predicted[row],
  });
}
