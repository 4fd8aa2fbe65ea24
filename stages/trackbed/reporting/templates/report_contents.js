// The table of contents: the section in view is marked; on a narrow window it opens by a press.
{
  const contents = document.querySelector("nav.contents details");
  const here = document.getElementById("contents-here");
  const links = [...contents.querySelectorAll("a")];
  const sections = links.map((link) => document.getElementById(link.hash.slice(1)));
  const wide = matchMedia("(min-width: 1200px)");
  const TOP = 140; // pixels from the top of the window: what lies there is being read

  const fit = () => { contents.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a")) fit();
  });
  contents.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || wide.matches) return;
    contents.open = false;
    contents.querySelector("summary").focus();
  });

  function mark() {
    const tops = sections.map((section) => section.getBoundingClientRect().top);
    const end = innerHeight + scrollY >= document.documentElement.scrollHeight - 4;
    const reached = tops.filter((top) => top <= TOP).length;
    const place = end ? tops.filter((top) => top < innerHeight).length - 1 : Math.max(reached, 1) - 1;
    links.forEach((link, one) => {
      if (one === place) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    });
    here.textContent = links[place]?.textContent ?? "";
    if (wide.matches) keepInView(links[place]);
  }

  function keepInView(link) {
    const [box, room] = [link?.getBoundingClientRect(), contents.getBoundingClientRect()];
    if (box && (box.top < room.top || box.bottom > room.bottom)) {
      contents.scrollTop += box.top - room.top - room.height / 2;
    }
  }

  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  mark();

  // Everything closed is printed too.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
}
