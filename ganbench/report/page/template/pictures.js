"use strict";
(async () => {
  const holders = [...document.querySelectorAll("script.packed")];
  if (!holders.length) return;
  const slider = document.getElementById("step");
  const said = document.getElementById("at-step");
  const steps = JSON.parse(document.getElementById("steps").textContent);
  const bytes = {};

  for (const one of holders) bytes[one.dataset.part] = await window.unpack(one.textContent);

  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const grounds = {};
  const ground = (canvas) => (grounds[canvas.dataset.ground] ??= read(canvas.dataset.ground));
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let paint = {};
  function colours() {
    paint = Object.fromEntries(["ink", "dim", "grid", "page", "c0", "c1", "c2"].map((name) => [name, css(`--${name}`)]));
  }
  const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  let now = steps[steps.length - 1];
  /** The last of the recorded steps that is not after the slider's. */
  const place = (own) => Math.max(0, own.filter((step) => step <= now).length - 1);

  function lines(context, density, n, level, size) {
    const at = (i, j) => density[i * n + j];
    const spot = (i, j) => [((i + 0.5) / n) * size, size - ((j + 0.5) / n) * size];
    context.beginPath();
    for (let i = 0; i < n - 1; i++) {
      for (let j = 0; j < n - 1; j++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const cuts = [];
        for (let side = 0; side < 4; side++) {
          const [a, b] = [corners[side], corners[(side + 1) % 4]];
          const [u, v] = [at(...a), at(...b)];
          if (u < level === v < level) continue;
          const share = (level - u) / (v - u);
          const [p, q] = [spot(...a), spot(...b)];
          cuts.push([p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share]);
        }
        for (let cut = 0; cut + 1 < cuts.length; cut += 2) {
          context.moveTo(...cuts[cut]);
          context.lineTo(...cuts[cut + 1]);
        }
      }
    }
    context.stroke();
  }

  const phase = (back, step) => Math.max(0, back.begins.filter((begin) => begin <= Math.max(step - 1, 0)).length - 1);
  function scale(canvas) {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    return [context, width, height];
  }

  function dots(context, from, count, data, size, radius) {
    for (let one = 0; one < count; one++) {
      const [x, y] = [data[from + 2 * one], data[from + 2 * one + 1]];
      if (x === 255 || y === 255) continue;
      context.fillRect((x / 254) * size - radius, size - (y / 254) * size - radius, 2 * radius, 2 * radius);
    }
  }

  const drawers = {
    plane(canvas, draw, data) {
      const [context, size] = scale(canvas);
      const back = ground(canvas);
      const at = place(draw.steps);
      const of = draw.steps.length ? phase(back, draw.steps[at] || Infinity) : 0;
      if (back.density) {
        const n = back.cells;
        const density = data.subarray(back.density[of], back.density[of] + n * n);
        context.strokeStyle = paint.dim;
        context.lineWidth = 0.8;
        back.lines[of].forEach((level, turn) => { context.globalAlpha = [0.9, 0.6, 0.35][turn]; lines(context, density, n, level, size); });
      } else if (back.real) {
        context.globalAlpha = 0.45;
        context.fillStyle = paint.dim;
        dots(context, back.real[of], back.reals, data, size, 0.7);
      }
      context.globalAlpha = 0.75;
      context.fillStyle = paint.c0;
      if (draw.count) dots(context, draw.at + at * draw.each, draw.count, data, size, size > 120 ? 1 : 0.75);
    },
    line(canvas, draw, data) {
      const [context, width, height] = scale(canvas);
      const back = ground(canvas);
      const at = place(draw.steps);
      const of = phase(back, draw.steps[at] || Infinity);
      const bins = 28;
      const counts = new Array(bins).fill(0);
      for (let one = 0; one < draw.count; one++) {
        const code = data[draw.at + at * draw.each + one];
        if (code !== 255) counts[Math.min(bins - 1, Math.floor((code / 255) * bins))]++;
      }
      const n = back.cells || 0;
      const curve = back.density ? [...data.subarray(back.density[of], back.density[of] + n)].map((v) => (v / 254) ** 2) : [];
      const mean = curve.reduce((sum, v) => sum + v, 0) / (n || 1) || 1;
      const most = Math.max(...counts.map((one) => (one / draw.count) * bins * mean), 1) * 1.05;
      context.fillStyle = paint.c0;
      context.globalAlpha = 0.6;
      counts.forEach((one, bin) => {
        const tall = (((one / draw.count) * bins * mean) / most) * height;
        context.fillRect((bin / bins) * width + 0.5, height - tall, width / bins - 1, tall);
      });
      context.globalAlpha = 1;
      context.strokeStyle = paint.ink;
      context.lineWidth = 1.2;
      context.beginPath();
      curve.forEach((v, i) => context.lineTo(((i + 0.5) / n) * width, height - (v / most) * height));
      context.stroke();
    },
    images(canvas, draw, data) {
      const [context, width] = scale(canvas);
      const across = Math.ceil(Math.sqrt(draw.count));
      const each = width / across;
      const from = draw.at + place(draw.steps) * draw.each;
      for (let one = 0; one < draw.count; one++) {
        image(context, data, from, one, draw.shape, (one % across) * each, Math.floor(one / across) * each, each);
      }
    },
    nearest(canvas, draw, data) {
      const [context, width] = scale(canvas);
      const each = width / draw.count;
      for (let one = 0; one < draw.count; one++) {
        image(context, data, draw.images, one, draw.shape, one * each, 0, each);
        image(context, data, draw.nearest, one, draw.shape, one * each, each * 1.1, each);
      }
    },
    between(canvas, draw, data) {
      const [context, width] = scale(canvas);
      // Two ways stand side by side; the room between them is half an image.
      const each = width / (draw.along * 2 + 0.5);
      for (let one = 0; one < draw.ways * draw.along; one++) {
        const way = Math.floor(one / draw.along);
        const x = ((way % 2) * (draw.along + 0.5) + (one % draw.along)) * each;
        image(context, data, draw.between, one, draw.shape, x, Math.floor(way / 2) * each, each);
      }
    },
    d(canvas, draw, data) {
      const [context, width, height] = scale(canvas);
      const n = draw.cells;
      const from = draw.at + place(draw.steps) * draw.each;
      const [blue, orange, page] = [paint.c0, paint.c1, paint.page].map(channels);
      const small = new OffscreenCanvas(n, n);
      const pixels = small.getContext("2d").createImageData(n, n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const [own, best] = [data[from + i * n + j], data[from + n * n + i * n + j]];
          const blank = draw.show ? best === 255 || own === 255 : own === 255;
          // From -1 to 1: D = 1/2, or no difference, is the colour of the page.
          const value = blank ? 0 : draw.show === 2 ? (own - best) / 254 : ((draw.show ? best : own) / 254) * 2 - 1;
          const end = value > 0 ? blue : orange;
          const share = Math.min(1, Math.abs(value)) ** 0.7;
          const spot = 4 * ((n - 1 - j) * n + i);
          for (let c = 0; c < 3; c++) pixels.data[spot + c] = page[c] + (end[c] - page[c]) * share;
          pixels.data[spot + 3] = blank ? 0 : 255;
        }
      }
      small.getContext("2d").putImageData(pixels, 0, 0);
      context.imageSmoothingEnabled = true;
      context.drawImage(small, 0, 0, width, height);
      if (draw.show === 2) {
        const gap = canvas.parentElement.querySelector(".gap");
        gap.textContent = `difference, ${draw.gap[place(draw.steps)].toFixed(2)} in the mean`;
      }
    },
    modes(canvas, draw, data) {
      const [context, width, height] = scale(canvas);
      const [wide, tall] = [width / draw.steps.length, height / draw.modes];
      draw.steps.forEach((_, at) => {
        for (let mode = 0; mode < draw.modes; mode++) {
          const held = data[draw.at + at * draw.modes + mode];
          context.fillStyle = held ? paint.c0 : paint.grid;
          context.fillRect(at * wide, mode * tall, Math.max(0.5, wide - 1), Math.max(0.5, tall - (tall > 3 ? 1 : 0.3)));
        }
      });
      context.strokeStyle = paint.ink;
      context.lineWidth = 1.4;
      context.strokeRect(place(draw.steps) * wide + 0.2, 0.7, wide - 1, height - 1.4);
    },
  };

  function image(context, data, from, one, [depth, tall, wide], x, y, each) {
    const small = new OffscreenCanvas(wide, tall);
    const pixels = small.getContext("2d").createImageData(wide, tall);
    const start = from + one * depth * tall * wide;
    for (let at = 0; at < tall * wide; at++) {
      for (let c = 0; c < 3; c++) pixels.data[4 * at + c] = data[start + (depth < 3 ? 0 : c) * tall * wide + at];
      pixels.data[4 * at + 3] = 255;
    }
    small.getContext("2d").putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = each < wide;
    context.drawImage(small, x, y, each - 1, each - 1);
  }

  const seen = new Set();
  const parsed = new Map();
  function draw(canvas) {
    if (!canvas.clientWidth) return;
    if (!parsed.has(canvas)) parsed.set(canvas, JSON.parse(canvas.dataset.draw));
    drawers[canvas.dataset.kind](canvas, parsed.get(canvas), bytes[canvas.dataset.part]);
  }
  colours();
  const canvases = [...document.querySelectorAll("canvas.picture")];
  const watcher = new IntersectionObserver((entries) => {
    for (const one of entries) {
      if (one.isIntersecting) { seen.add(one.target); draw(one.target); } else seen.delete(one.target);
    }
  }, { rootMargin: "400px" });
  canvases.forEach((canvas) => watcher.observe(canvas));

  function moved() {
    now = steps[Number(slider.value)];
    said.textContent = `step ${now.toLocaleString("en")}`;
    slider.setAttribute("aria-valuetext", said.textContent);
    seen.forEach(draw);
  }
  slider.addEventListener("input", moved);
  let playing = 0;
  const play = document.getElementById("play");
  play.addEventListener("click", () => {
    const stop = () => { clearInterval(playing); playing = 0; play.textContent = "Play"; };
    if (playing) return stop();
    if (Number(slider.value) === steps.length - 1) slider.value = 0;
    moved();
    play.textContent = "Stop";
    playing = setInterval(() => {
      if (Number(slider.value) >= steps.length - 1) return stop();
      slider.value = Number(slider.value) + 1;
      moved();
    }, 600);
  });
  moved();
  addEventListener("resize", () => seen.forEach(draw));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours(); seen.forEach(draw); });
  /** Paper is light, whatever the screen is. */
  function onPaper(there) {
    document.documentElement.classList.toggle("paper", there);
    colours();
    if (there) canvases.forEach(draw); else seen.forEach(draw);
  }
  addEventListener("beforeprint", () => onPaper(true));
  addEventListener("afterprint", () => onPaper(false));
  document.documentElement.dataset.pictures = "drawn";
})();
