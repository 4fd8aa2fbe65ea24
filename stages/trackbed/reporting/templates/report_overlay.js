// A picture in grey with a map over it, from violet over green to yellow, as
// inference/class_activation.py makes it.
{
  const FAINTEST = 0.1; // share of the highest value below which only the picture shows
  const STRONGEST = 0.6; // and from which on the colour is as strong as it gets
  const STRENGTH = 0.6; // how strong that is, 0 to 1
  const DARKENED = 0.75; // factor on the grey values of the picture
  const VIRIDIS = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
    [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];

  // The four cells beside each of `to` places and their weights, for cubic interpolation of `from`.
  function taps(from, to) {
    const A = -0.75; // as OpenCV
    const near = (x) => ((A + 2) * x - (A + 3)) * x * x + 1;
    const far = (x) => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
    return Array.from({ length: to }, (_, place) => {
      const at = ((place + 0.5) * from) / to - 0.5;
      const first = Math.floor(at);
      const t = at - first;
      const weights = [far(1 + t), near(t), near(1 - t), far(2 - t)];
      return weights.map((weight, tap) => [Math.min(Math.max(first + tap - 1, 0), from - 1), weight]);
    });
  }

  function enlarged({ values, wide, high }, width, height) {
    const across = taps(wide, width);
    const down = taps(high, height);
    const rows = Array.from({ length: high }, (_, y) => Float32Array.from(across, (some) =>
      some.reduce((sum, [x, weight]) => sum + weight * values[y * wide + x], 0)));
    const found = new Float32Array(width * height);
    down.forEach((some, y) => {
      for (const [from, weight] of some) {
        for (let x = 0; x < width; x++) found[y * width + x] += weight * rows[from][x];
      }
    });
    return found;
  }

  function colour(share) {
    const at = share * (VIRIDIS.length - 1);
    const first = Math.min(Math.floor(at), VIRIDIS.length - 2);
    return VIRIDIS[first].map((value, one) => value + (at - first) * (VIRIDIS[first + 1][one] - value));
  }

  // Changes what a canvas shows. map: bytes of `high` rows of `wide` cells, 255 the highest value.
  trackbed.overlay = (canvas, map) => {
    const brush = canvas.getContext("2d");
    const image = brush.getImageData(0, 0, canvas.width, canvas.height);
    const shares = enlarged(map, canvas.width, canvas.height);
    const pixels = image.data;
    shares.forEach((value, place) => {
      const share = Math.min(Math.max(value / 255, 0), 1);
      const at = 4 * place;
      const grey = DARKENED * (0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2]);
      const strong = Math.min(Math.max((share - FAINTEST) / (STRONGEST - FAINTEST), 0), 1) * STRENGTH;
      colour(share).forEach((one, channel) => {
        pixels[at + channel] = Math.round(grey * (1 - strong) + one * strong);
      });
    });
    brush.putImageData(image, 0, 0);
  };
}
