"use strict";
/** What the page keeps small: base64, then deflated. */
window.unpack = async (text) => {
  const packed = Uint8Array.from(atob(text.trim()), (sign) => sign.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};
(() => {
  const charts = window.unpack(document.getElementById("charts").textContent)
    .then((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
  const views = [];
  const begun = new Set();
  const hidden = new Set();
  const tip = document.getElementById("tip");

  /** Columns as the rows that Vega wants. */
  function rows(columns) {
    const names = Object.keys(columns);
    const count = names.length ? columns[names[0]].length : 0;
    return Array.from({ length: count }, (_, at) => Object.fromEntries(names.map((name) => [name, columns[name][at]])));
  }

  /** Texts only: what a name holds is never read as HTML. */
  function tell(_, event, __, value) {
    tip.hidden = value === null || typeof value !== "object";
    if (tip.hidden) return;
    tip.replaceChildren(...Object.entries(value).map(([name, text]) => {
      const line = document.createElement("div");
      line.append(...[name, text].map((one) => Object.assign(document.createElement("span"), { textContent: one })));
      return line;
    }));
    const room = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - room.width - 8))}px`;
    tip.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - room.height - 8))}px`;
  }

  async function draw(figure) {
    if (begun.has(figure)) return;
    begun.add(figure);
    const drawn = await charts;
    const chart = drawn.charts[figure.id];
    const spec = { ...drawn.specs[chart.spec], data: { name: "drawn", values: rows(chart.data) } };
    const options = { mode: "vega-lite", renderer: "svg", actions: false, config: drawn.config, tooltip: tell };
    const { view } = await vegaEmbed(figure.querySelector(".plot"), spec, options);
    // The element around it has the name, and the table its numbers: single marks say nothing to a screen reader.
    view.container().querySelector("svg").setAttribute("aria-hidden", "true");
    views.push(view);
    if (hidden.size) view.signal("hidden", [...hidden]).run();
  }

  const figures = [...document.querySelectorAll("figure.chart")];
  const watcher = new IntersectionObserver((seen) => {
    for (const one of seen) {
      if (!one.isIntersecting) continue;
      watcher.unobserve(one.target);
      draw(one.target);
    }
  }, { rootMargin: "800px" });
  figures.forEach((figure) => watcher.observe(figure));
  addEventListener("beforeprint", () => figures.forEach(draw));

  /** Which variants are shown, in every chart of the page. */
  const chips = [...document.querySelectorAll(".chip")];
  function show() {
    for (const chip of chips) chip.setAttribute("aria-pressed", String(!hidden.has(chip.dataset.variant)));
    for (const view of views) view.signal("hidden", [...hidden]).run();
    for (const one of document.querySelectorAll("[data-of]")) {
      if (one.dataset.of !== undefined && !one.matches("button")) one.hidden = hidden.has(one.dataset.of);
    }
  }
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const name = chip.dataset.variant;
      if (!hidden.delete(name)) hidden.add(name);
      show();
    });
  }
  // The legend stays at the top of the window: a heading that a link leads to is below it, however many rows it has.
  const legend = document.querySelector(".legend");
  if (legend) {
    const below = () => { document.documentElement.style.scrollPaddingTop = `${legend.offsetHeight + 16}px`; };
    new ResizeObserver(below).observe(legend);
  }
  document.getElementById("everyone")?.addEventListener("click", () => { hidden.clear(); show(); });

  /** Each head sorts the rows of every dataset, references by themselves; what has no number stays last. */
  function sort(table, head, button) {
    const up = head.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("thead th").forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const column = button.dataset.column === "name" ? 0 : Number(button.dataset.column) + 1;
    const key = (row) => row.cells[column].dataset.order;
    const compare = (one, other) => {
      const [a, b] = [key(one), key(other)];
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      const [x, y] = [a, b].map((text) => Number(text.replace("inf", "Infinity")));
      const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x < y ? -1 : Number(x > y);
      return up ? order : -order;
    };
    for (const body of table.querySelectorAll("tbody.rows")) body.append(...[...body.rows].sort(compare));
    document.getElementById("told").textContent = `Sorted by ${button.textContent}, ${up ? "ascending" : "descending"}`;
  }
  for (const table of document.querySelectorAll("table.results")) {
    for (const button of table.querySelectorAll("thead button")) {
      button.addEventListener("click", () => sort(table, button.closest("th"), button));
    }
  }
  for (const box of document.querySelectorAll("input.more")) {
    box.addEventListener("change", () => {
      document.getElementById(box.getAttribute("aria-controls")).classList.toggle("every", box.checked);
    });
  }

  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const of = document.getElementById(button.dataset.of);
      try {
        await navigator.clipboard.writeText(of.textContent);
        document.getElementById("told").textContent = "Copied";
        button.firstChild.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(of);
      }
    });
  }
})();
