// All test pictures of the page, for the scripts that follow. Rows count from 0, in the order of
// predictions.csv; confidences, thresholds and positions are whole numbers 0 to 1000.
//
// trackbed.pictures()          what the page knows, a list entry per picture; null without pictures
// trackbed.wrong(row)          whether the prediction is wrong
// trackbed.probabilities(row)  the probabilities of all classes, 0 to 1; small ones are 0
// trackbed.thumbnail(row)      a canvas with the picture, which appears as soon as it is decoded
// trackbed.closerLook(row)     {large, maps, neighbours} of the first pictures of the gallery, else null
// trackbed.select({rows, label})  the gallery shows these rows alone, with a label and a way back
// trackbed.filter({true, predicted, wrong, group, finding, slice, low, high})
//     sets the filters of the gallery, each optional; true and predicted: numbers of classes; wrong:
//     true or false; group, finding: names; slice: [column, value]; low, high: confidences
// trackbed.open(row, rows)     the lightbox; its arrow keys go through `rows`, else what the gallery shows
// A change of what the gallery shows fires `trackbed:selection` at the document: detail.rows, and
// detail.label where `select` chose them.
{
  const block = document.getElementById("test-pictures");
  let known = null;
  let offsets = null; // of the first probability of each row
  let packed = null;

  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

  // What gallery/packing.py made of whole numbers and of names.
  function numbers(text) {
    const { buffer } = bytes(text.slice(1));
    return new { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[text[0]](buffer);
  }

  function names(short) {
    let before = "";
    return short.map((text) => (before = before.slice(0, Number(text.slice(0, 2))) + text.slice(2)));
  }

  function pictures() {
    if (known || !block) return known;
    known = JSON.parse(block.textContent);
    known.file = names(known.file);
    known.count = known.file.length;
    known.groups = known.groups ? names(known.groups) : known.file;
    known.group = known.group ? [...numbers(known.group)] : [...known.file.keys()];
    for (const name of ["true", "predicted", "confidence", "x", "y", "cell", "width", "height"]) {
      known[name] = [...numbers(known[name])];
    }
    for (const kind of Object.keys(known.slices)) {
      const { names, of } = known.slices[kind];
      const values = Object.fromEntries(names.map((name) => [name, []]));
      for (let row = 0; row < known.count; row++) values[names[of[row]]].push(row);
      known.slices[kind] = values;
    }
    packed = { labels: numbers(known.probabilities.labels), values: numbers(known.probabilities.values) };
    offsets = [0];
    for (const count of numbers(known.probabilities.count)) offsets.push(offsets.at(-1) + count);
    delete known.probabilities;
    return known;
  }

  // What is known of some pictures alone: a larger one, maps that explain the answer, and the
  // nearest training images; null for the others.
  let closer = null;

  function unpackCloser() {
    const { row, pictures: large, maps, neighbours } = pictures().closer;
    closer = new Map([...numbers(row)].map((one, place) => [one, { large: large[place] }]));
    const cells = maps && bytes(maps.values);
    const area = maps && maps.high * maps.wide;
    const near = neighbours && {
      ...neighbours,
      places: numbers(neighbours.places),
      distances: numbers(neighbours.distances),
      file: names(neighbours.file),
      true: numbers(neighbours.true),
      aspect: neighbours.aspect && numbers(neighbours.aspect),
    };
    [...closer.values()].forEach((one, place) => {
      if (maps) {
        one.maps = Array.from({ length: maps.classes }, (_, number) => {
          const start = (place * maps.classes + number) * area;
          return { high: maps.high, wide: maps.wide, values: cells.subarray(start, start + area) };
        });
      }
      if (!near) return;
      one.neighbours = Array.from({ length: near.count }, (_, rank) => {
        const at = place * near.count + rank;
        const which = near.places[at];
        const aspect = near.aspect ? near.aspect[which] / 100 : 1;
        return {
          file: near.file[which],
          true: near.true[which],
          distance: near.distances[at] / 1000,
          picture: () => cell(near.sheets, which, aspect),
        };
      });
    });
  }

  function closerLook(row) {
    if (!closer) unpackCloser();
    return closer.get(row) ?? null;
  }

  // That of the predicted class is the confidence, which is known more exactly; none is higher.
  function probabilities(row) {
    const found = new Array(pictures().classes.length).fill(0);
    const sure = known.confidence[row] / 1000;
    for (let place = offsets[row]; place < offsets[row + 1]; place++) {
      found[packed.labels[place]] = Math.min(packed.values[place] / 255, sure);
    }
    found[known.predicted[row]] = sure;
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
    const { sheets, cell: cells, width, height, file } = pictures();
    const canvas = cell(sheets, cells[row], width[row] / height[row]);
    canvas.setAttribute("aria-label", `Test image ${file[row]}`);
    return canvas;
  }

  Object.assign(trackbed, {
    pictures,
    probabilities,
    thumbnail,
    closerLook,
    image,
    wrong: (row) => pictures().true[row] !== pictures().predicted[row],
  });
}
