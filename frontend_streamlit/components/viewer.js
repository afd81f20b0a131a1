// Before and after on one canvas: a divider that is dragged, a common zoom, the difference of both.
const MODES = { compare: "Compare", before: "Before", after: "After", difference: "Difference" };
const MOST_ZOOM = 32;
const viewers = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let viewer = viewers.get(parentElement);
  if (!viewer) {
    viewer = new Viewer(parentElement);
    viewers.set(parentElement, viewer);
  }
  viewer.update(data, setTriggerValue);
  return () => viewer.stop();
}

class Viewer {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.context = this.canvas.getContext("2d");
    this.range = root.querySelector("input");
    this.status = root.querySelector(".status");
    this.divider = 0.5;
    this.mode = null;
    this.zoom = 1;
    this.center = [0.5, 0.5];
    this.pictures = {};
    this.sources = {};
    this.pointers = new Map();
    this.asked = false;
    this.listen();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(root.querySelector(".stage"));
  }

  stop() {
    this.sizes.disconnect();
    viewers.delete(this.root);
  }

  update(data, trigger) {
    this.data = data;
    this.trigger = trigger;
    for (const name of ["before", "after"]) this.load(name, data[name]);
    if (!data.tiled) this.load("full", data.full);
    else if (data.full && !this.tiff) this.tiff = new Tiff(data.full, () => this.draw());
    const modes = Object.keys(MODES).filter((mode) => this.possible(mode));
    if (!modes.includes(this.mode)) this.mode = modes[0];
    const box = this.root.querySelector(".modes");
    box.replaceChildren(...modes.map((mode) => this.modeButton(mode)));
    this.range.parentElement.hidden = this.mode !== "compare";
    this.canvas.setAttribute("aria-label", data.label);
    this.resize();
  }

  possible(mode) {
    const both = this.data.before && this.data.after;
    if (mode === "before" || mode === "after") return Boolean(this.data[mode]);
    return mode === "difference" ? both && this.data.aligned : both;
  }

  modeButton(mode) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = MODES[mode];
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(mode === this.mode));
    button.onclick = () => {
      this.mode = mode;
      for (const other of button.parentElement.children) other.setAttribute("aria-checked", String(other === button));
      this.range.parentElement.hidden = mode !== "compare";
      this.resize();
    };
    return button;
  }

  load(name, source) {
    if (!source || this.sources[name] === source) return;
    this.sources[name] = source;
    const picture = new Image();
    picture.onload = () => {
      this.pictures[name] = picture;
      this.resize();
    };
    picture.onerror = () => {
      if (name === "full") this.failed = true;
      this.draw();
    };
    picture.src = source;
  }

  // The image's size in its own pixels; a result of another shape is laid over the whole of the original.
  frame() {
    const size = this.mode === "before" ? this.data.before_size : this.data.after_size;
    const picture = this.pictures.after || this.pictures.before;
    return size || (picture ? [picture.naturalWidth, picture.naturalHeight] : [4, 3]);
  }

  resize() {
    const [width, height] = this.frame();
    const across = this.canvas.parentElement.clientWidth || 300;
    const down = Math.max(180, Math.min(across * (height / width), window.innerHeight * 0.75));
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.style.height = `${down}px`;
    this.canvas.width = Math.round(across * this.ratio);
    this.canvas.height = Math.round(down * this.ratio);
    this.draw();
  }

  fitting() {
    const [width, height] = this.frame();
    return Math.min(this.canvas.width / width, this.canvas.height / height);
  }

  box() {
    const [width, height] = this.frame();
    const scale = this.fitting() * this.zoom;
    const x = this.canvas.width / 2 - this.center[0] * width * scale;
    const y = this.canvas.height / 2 - this.center[1] * height * scale;
    return [x, y, width * scale, height * scale];
  }

  draw() {
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = "source-over";
    context.clearRect(0, 0, canvas.width, canvas.height);
    const after = this.sharpest();
    this.complete = Boolean(this.pictures.full);
    if (this.mode === "compare") {
      this.paint(after);
      this.paintTiles();
      context.save();
      context.beginPath();
      context.rect(0, 0, this.divider * canvas.width, canvas.height);
      context.clip();
      context.clearRect(0, 0, canvas.width, canvas.height);
      this.paint(this.pictures.before, this.data.aligned ? null : this.data.before_size);
      context.restore();
      this.handle();
    } else if (this.mode === "difference") {
      this.paint(this.pictures.before);
      context.globalCompositeOperation = "difference";
      this.paint(this.pictures.after);
    } else {
      this.paint(this.mode === "before" ? this.pictures.before : after);
      if (this.mode === "after") this.paintTiles();
    }
    this.tell();
  }

  // The file itself where the small picture no longer has a pixel for each one on the screen.
  sharpest() {
    const small = this.pictures.after;
    const scale = this.fitting() * this.zoom;
    const needed = small && this.frame()[0] * scale > small.naturalWidth * 1.05;
    if (needed && this.data.can_be_full && !this.asked && this.mode !== "before") {
      this.asked = true;
      this.trigger("full", true);
    }
    this.wanted = needed;
    return needed && this.pictures.full ? this.pictures.full : small;
  }

  // An original of another shape keeps it, in the middle of the result's place.
  paint(picture, size) {
    if (!picture) return;
    let [x, y, width, height] = this.box();
    if (size) {
      const scale = Math.min(width / size[0], height / size[1]);
      [x, y] = [x + (width - size[0] * scale) / 2, y + (height - size[1] * scale) / 2];
      [width, height] = [size[0] * scale, size[1] * scale];
    }
    this.context.imageSmoothingEnabled = this.fitting() * this.zoom < 2;
    this.context.drawImage(picture, x, y, width, height);
  }

  // Over the small picture, which stays where a tile isn't here yet.
  paintTiles() {
    if (!this.tiff || !this.wanted) return;
    const [x, y, width, height] = this.box();
    const part = [-x / width, -y / height, (this.canvas.width - x) / width, (this.canvas.height - y) / height];
    const tiles = this.tiff.cover(part.map((value) => Math.min(Math.max(value, 0), 1)), this.fitting() * this.zoom);
    this.complete = Boolean(tiles?.every((tile) => tile.picture));
    for (const { level, x: column, y: row, picture } of tiles || []) {
      if (!picture) continue;
      const wide = Math.min(level.tileWidth, level.width - column * level.tileWidth);
      const high = Math.min(level.tileHeight, level.height - row * level.tileHeight);
      const [across, down] = [width / level.width, height / level.height];
      // To whole pixels of the screen, so that no seam is seen between two tiles.
      const left = Math.round(x + column * level.tileWidth * across);
      const top = Math.round(y + row * level.tileHeight * down);
      const right = Math.round(x + (column * level.tileWidth + wide) * across);
      const bottom = Math.round(y + (row * level.tileHeight + high) * down);
      this.context.drawImage(picture, 0, 0, wide, high, left, top, right - left, bottom - top);
    }
  }

  handle() {
    const { context, canvas } = this;
    const x = this.divider * canvas.width;
    const unit = this.ratio;
    for (const [color, width] of [["rgba(0,0,0,.6)", 5], ["#fff", 2]]) {
      context.strokeStyle = color;
      context.lineWidth = width * unit;
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, canvas.height);
      context.stroke();
    }
    context.fillStyle = "#fff";
    context.strokeStyle = "rgba(0,0,0,.6)";
    context.beginPath();
    context.arc(x, canvas.height / 2, 14 * unit, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    context.fillStyle = "#222";
    context.font = `${14 * unit}px sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText("◂ ▸", x, canvas.height / 2);
  }

  tell() {
    const percent = Math.round(((this.fitting() * this.zoom) / this.ratio) * 100);
    const words = [`${percent} % of its size`];
    const full = this.mode === "after" || this.mode === "compare";
    if (full && this.asked) {
      if (this.complete) words.push("the result itself");
      else words.push(this.failed || this.tiff?.failed ? "a small picture: the result can't be shown here" : "fetching the result itself …");
    } else if (this.data.small) words.push("a small picture");
    this.status.textContent = words.join(", ");
    this.root.querySelector(".viewer").dataset.full = String(this.complete);
  }

  scaleTo(zoom, at) {
    const one = this.ratio / this.fitting();
    const before = this.zoom;
    this.zoom = Math.min(Math.max(zoom, 1), Math.max(1, one * MOST_ZOOM));
    if (at) {
      const [x, y, width, height] = this.boxAt(before);
      const u = (at[0] - x) / width, v = (at[1] - y) / height;
      const [, , wide, high] = this.box();
      this.center = [u - (at[0] - this.canvas.width / 2) / wide, v - (at[1] - this.canvas.height / 2) / high];
    }
    this.settle();
  }

  boxAt(zoom) {
    const now = this.zoom;
    this.zoom = zoom;
    const box = this.box();
    this.zoom = now;
    return box;
  }

  pan(dx, dy) {
    const [, , width, height] = this.box();
    this.center = [this.center[0] - dx / width, this.center[1] - dy / height];
    this.settle();
  }

  settle() {
    const [, , width, height] = this.box();
    const sides = [this.canvas.width / width, this.canvas.height / height];
    this.center = this.center.map((value, i) => {
      const half = Math.min(0.5, sides[i] / 2);
      return Math.min(Math.max(value, half), 1 - half);
    });
    this.draw();
  }

  act(name) {
    if (name === "in") this.scaleTo(this.zoom * 1.5);
    if (name === "out") this.scaleTo(this.zoom / 1.5);
    if (name === "fit") this.scaleTo(1);
    if (name === "one") this.scaleTo(this.ratio / this.fitting());
  }

  divide(value) {
    this.divider = Math.min(Math.max(value, 0), 1);
    this.range.value = Math.round(this.divider * 1000);
    this.draw();
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.ratio, (event.clientY - box.top) * this.ratio];
  }

  near(point) {
    return this.mode === "compare" && Math.abs(point[0] - this.divider * this.canvas.width) < 22 * this.ratio;
  }

  listen() {
    const { canvas } = this;
    for (const button of this.root.querySelectorAll(".zoom button")) button.onclick = () => this.act(button.dataset.act);
    this.range.oninput = () => this.divide(this.range.value / 1000);
    canvas.addEventListener("wheel", (event) => {
      // A page that can't be scrolled past is a trap: the wheel zooms with a key, or once zoomed in.
      if (!event.ctrlKey && !event.metaKey && this.zoom === 1) return;
      event.preventDefault();
      this.scaleTo(this.zoom * Math.exp(-event.deltaY / 300), this.at(event));
    }, { passive: false });
    canvas.ondblclick = (event) => this.scaleTo(this.zoom > 1 ? 1 : this.ratio / this.fitting(), this.at(event));
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId);
      const point = this.at(event);
      this.dividing = this.pointers.size === 0 && this.near(point);
      this.pointers.set(event.pointerId, point);
      canvas.classList.add("dragging");
    };
    canvas.onpointermove = (event) => this.moved(event);
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      this.pointers.delete(event.pointerId);
      this.dividing = false;
      canvas.classList.remove("dragging");
    };
    canvas.onkeydown = (event) => {
      const step = 60 * this.ratio;
      const keys = {
        "+": () => this.act("in"), "=": () => this.act("in"), "-": () => this.act("out"), 0: () => this.act("fit"),
        ArrowLeft: () => this.pan(step, 0), ArrowRight: () => this.pan(-step, 0),
        ArrowUp: () => this.pan(0, step), ArrowDown: () => this.pan(0, -step),
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    };
  }

  moved(event) {
    const point = this.at(event);
    this.canvas.classList.toggle("dividing", this.dividing || this.near(point));
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    this.pointers.set(event.pointerId, point);
    if (this.dividing) {
      this.divide(point[0] / this.canvas.width);
    } else if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const far = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]) || 1;
      this.scaleTo((this.zoom * far(point)) / far(last), [(point[0] + other[0]) / 2, (point[1] + other[1]) / 2]);
    } else {
      this.pan(point[0] - last[0], point[1] - last[1]);
    }
  }
}
