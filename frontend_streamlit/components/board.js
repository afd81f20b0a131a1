// The parts of a job, drawn over its image.
const STATES = {
  waiting: ["Waiting", "rgba(120,130,145,.78)"],
  running: ["Running", "rgba(245,166,35,.72)"],
  done: ["Done", "rgba(40,160,90,.28)"],
  retried: ["Done after another attempt", "rgba(130,80,220,.45)"],
  failed: ["Failed", "rgba(215,45,55,.75)"],
};
const boards = new WeakMap();

export default function ({ parentElement, data }) {
  let board = boards.get(parentElement);
  if (!board) {
    board = new Board(parentElement);
    boards.set(parentElement, board);
  }
  board.update(data);
  return () => board.stop();
}

class Board {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.tip = root.querySelector(".tip");
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(root.querySelector(".stage"));
    this.canvas.onpointermove = (event) => this.hover(event);
    this.canvas.onpointerleave = () => (this.tip.hidden = true);
  }

  stop() {
    this.sizes.disconnect();
    boards.delete(this.root);
  }

  update(data) {
    this.data = data;
    if (data.picture && this.source !== data.picture) {
      this.source = data.picture;
      const picture = new Image();
      picture.onload = () => { this.picture = picture; this.draw(); };
      picture.src = data.picture;
    }
    const counts = {};
    for (const tile of data.tiles) counts[tile.state] = (counts[tile.state] || 0) + 1;
    const present = Object.entries(STATES).filter(([state]) => counts[state]);
    this.root.querySelector(".legend").replaceChildren(...present.map(([state, [label, color]]) => {
      const entry = document.createElement("span");
      const mark = document.createElement("i");
      mark.style.background = color;
      entry.append(mark, `${label}: ${counts[state].toLocaleString("en")}`);
      return entry;
    }));
    const words = present.map(([state, [label]]) => `${counts[state]} ${label.toLowerCase()}`).join(", ");
    this.canvas.setAttribute("aria-label", `The parts of the image: ${words}`);
    this.root.querySelector(".board").dataset.done = String((counts.done || 0) + (counts.retried || 0));
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const { width, height, tiles } = this.data;
    const ratio = window.devicePixelRatio || 1;
    const across = this.canvas.parentElement.clientWidth || 300;
    const down = Math.min(across * (height / width), window.innerHeight * 0.6);
    const wide = down * (width / height);
    this.canvas.style.width = `${wide}px`;
    this.canvas.style.height = `${down}px`;
    this.canvas.width = Math.round(wide * ratio);
    this.canvas.height = Math.round(down * ratio);
    const context = this.canvas.getContext("2d");
    this.scale = this.canvas.width / width;
    context.fillStyle = "#cfd6de";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.picture) context.drawImage(this.picture, 0, 0, this.canvas.width, this.canvas.height);
    context.strokeStyle = "rgba(255,255,255,.7)";
    context.lineWidth = ratio;
    for (const { rect: [x0, y0, x1, y1], state } of tiles) {
      const box = [x0, y0, x1 - x0, y1 - y0].map((side) => side * this.scale);
      context.fillStyle = STATES[state][1];
      context.fillRect(...box);
      context.strokeRect(...box);
    }
  }

  hover(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.data.width;
    const y = ((event.clientY - box.top) / box.height) * this.data.height;
    const tile = this.data.tiles.find(({ rect: r }) => r[0] <= x && x < r[2] && r[1] <= y && y < r[3]);
    this.tip.hidden = !tile;
    if (!tile) return;
    const attempts = tile.attempts === 1 ? "1 attempt" : `${tile.attempts} attempts`;
    const seconds = tile.seconds == null ? "" : `, ${tile.seconds.toFixed(2)} s`;
    this.tip.textContent = `Part ${tile.index + 1}: ${STATES[tile.state][0].toLowerCase()}, ${attempts}${seconds}`;
    const left = Math.min(event.clientX - box.left + 12, box.width - this.tip.offsetWidth);
    this.tip.style.left = `${Math.max(0, left)}px`;
    this.tip.style.top = `${event.clientY - box.top + 16}px`;
  }
}
