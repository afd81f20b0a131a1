// Files go from the browser straight to storage, in blocks; the page is told which, and gives each its place.
const FILES_AT_ONCE = 2;
const BLOCKS_AT_ONCE = 4;
const TRIES = 6;
const TRIES_BEFORE_ANY_ANSWER = 3;
const LONGEST_WAIT = 10_000;
const TELL_AGAIN = 3_000;
// The page makes a picture of a small file itself; of a larger one the browser does, where it can decode it.
const HANDED_OVER = 2 << 20;
const HANDED_OVER_TIFF = 16 << 20;
const MOST_DECODED = 256 << 20;
const HEAD = 64 << 10;
// They go on while another view is shown, which takes the component away.
const queues = (window.tesseraUploads ??= new Map());
const views = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  if (!queues.has(data.session)) {
    for (const old of queues.values()) old.stop();
    queues.clear();
    queues.set(data.session, new Queue());
  }
  const queue = queues.get(data.session);
  let view = views.get(parentElement);
  if (!view) {
    view = new View(parentElement, queue);
    views.set(parentElement, view);
  }
  view.setState = setStateValue;
  view.update(data);
  return () => {
    views.delete(parentElement);
    if (queue.view === view) queue.view = null;
  };
}

class Stopped extends Error {}

class Queue {
  constructor() {
    this.files = [];
    this.view = null;
    this.data = {};
    this.count = 0;
    this.answered = false;
    this.onLeave = (event) => {
      if (this.files.some((file) => file.state !== "failed")) event.preventDefault();
    };
    window.addEventListener("beforeunload", this.onLeave);
  }

  stop() {
    for (const file of this.files) stop(file);
    window.removeEventListener("beforeunload", this.onLeave);
  }

  update(data) {
    this.data = data;
    this.files = this.files.filter((file) => !(file.state === "sent" && data.taken.includes(file.id)));
    for (const file of this.files.filter((each) => each.state === "asking")) {
      const place = data.places[file.id];
      if (data.refused[file.id]) this.fail(file, data.refused[file.id]);
      else if (place) this.send(file, place);
    }
    this.changed();
  }

  add(chosen) {
    for (const source of chosen) {
      const file = { source, state: "waiting", sent: [], requests: new Set() };
      this.files.push(file);
      if (!source.size) this.fail(file, "It is empty.");
      else if (!this.data.suffixes.some((suffix) => source.name.toLowerCase().endsWith(`.${suffix}`)))
        this.fail(file, "It is none of the kinds of images named above.");
    }
    this.changed();
  }

  again(file) {
    Object.assign(file, { state: "waiting", sent: [], words: "", stopped: false });
    this.changed();
  }

  cancel(file) {
    stop(file);
    this.files = this.files.filter((each) => each !== file);
    this.changed();
  }

  // Kept here: the page may draw the component anew in the moment in which something is said.
  say(words) {
    this.said = words;
    this.view?.say(words);
  }

  fail(file, words) {
    Object.assign(file, { state: "failed", words });
    this.say(`${file.source.name}: ${words}`);
  }

  changed() {
    const busy = () => this.files.filter((each) => ["asking", "sending"].includes(each.state)).length;
    for (const file of this.files) {
      if (file.state !== "waiting" || busy() >= FILES_AT_ONCE) continue;
      // A number of its own for each try: the page gives each number a place.
      Object.assign(file, { state: "asking", id: `${this.data.session}-${++this.count}` });
    }
    this.view?.draw();
    this.view?.tell();
  }

  async send(file, place) {
    file.state = "sending";
    const size = file.source.size;
    const starts = Array.from({ length: Math.ceil(size / place.block_bytes) }, (_, i) => i * place.block_bytes);
    const ids = starts.map((_, i) => btoa(String(i).padStart(8, "0")));
    let next = 0;
    const work = async () => {
      while (next < starts.length) {
        const i = next++;
        const block = file.source.slice(starts[i], starts[i] + place.block_bytes);
        const url = `${place.url}&comp=block&blockid=${encodeURIComponent(ids[i])}`;
        await this.put(file, url, block, {}, (sent) => {
          file.sent[i] = sent;
          this.view?.progress(file);
        });
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(BLOCKS_AT_ONCE, starts.length) }, work));
      const list = ids.map((id) => `<Latest>${id}</Latest>`).join("");
      const document = `<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`;
      const headers = { "x-ms-blob-content-type": file.source.type || "application/octet-stream" };
      await this.put(file, `${place.url}&comp=blocklist`, document, headers);
      if (this.data.pictures) Object.assign(file, await picture(file.source));
      file.state = "sent";
      this.say(`${file.source.name} has been sent.`);
    } catch (error) {
      if (error instanceof Stopped && !this.files.includes(file)) return;
      stop(file);
      this.fail(file, error.words || "It could not be read or sent.");
    }
    this.changed();
  }

  async put(file, url, body, headers, onProgress = () => {}) {
    for (let tried = 1; ; tried++) {
      if (file.stopped) throw new Stopped();
      const status = await request(file, url, body, headers, onProgress);
      if (status) this.answered = true;
      if (status >= 200 && status < 300) return;
      if (file.stopped) throw new Stopped();
      const passes = status === 0 || status === 408 || status === 429 || status >= 500;
      if (status === 0 && !this.answered && tried >= TRIES_BEFORE_ANY_ANSWER && navigator.onLine) this.view?.give_up();
      if (!passes || tried === TRIES) throw Object.assign(new Error(), { words: why(status) });
      onProgress(0);
      await pause(Math.min(LONGEST_WAIT, 500 * 2 ** tried) * (0.5 + Math.random() / 2));
    }
  }
}

function why(status) {
  if (status === 0) return "The connection broke, or the file can no longer be read.";
  if (status === 403) return "The permission to send it has run out.";
  return `Storage doesn't take it (${status}).`;
}

function stop(file) {
  file.stopped = true;
  for (const open of file.requests) open.abort();
}

function request(file, url, body, headers, onProgress) {
  return new Promise((resolve) => {
    const open = new XMLHttpRequest();
    file.requests.add(open);
    open.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) open.setRequestHeader(name, value);
    open.upload.onprogress = (event) => onProgress(event.loaded);
    open.onloadend = () => {
      file.requests.delete(open);
      resolve(open.status);
    };
    open.send(body);
  });
}

async function pause(milliseconds) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  if (!navigator.onLine) await new Promise((resolve) => window.addEventListener("online", resolve, { once: true }));
}

// The file itself where it is small, else a copy for the screen and the bytes that say which kind of image it is.
async function picture(source) {
  const handedOver = /\.tiff?$/i.test(source.name) ? HANDED_OVER_TIFF : HANDED_OVER;
  if (source.size <= handedOver) return { picture: await base64(source) };
  if (source.size > MOST_DECODED) return {};
  try {
    const decoded = await createImageBitmap(source);
    const scale = Math.min(1, 1200 / Math.max(decoded.width, decoded.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(decoded.width * scale));
    canvas.height = Math.max(1, Math.round(decoded.height * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(decoded, 0, 0, canvas.width, canvas.height);
    decoded.close();
    const values = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const seeThrough = values.some((value, i) => i % 4 === 3 && value < 255);
    const kind = seeThrough ? "image/png" : "image/jpeg";
    const made = await new Promise((resolve) => canvas.toBlob(resolve, kind, 0.9));
    return made ? { picture: await base64(made), head: await base64(source.slice(0, HEAD)) } : {};
  } catch {
    return {};
  }
}

function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = reject;
    reader.readAsDataURL(blob);
  });
}

class View {
  constructor(root, queue) {
    this.root = root;
    this.queue = queue;
    this.rows = new Map();
    const [drop, button, input] = [".drop", ".choose", "input"].map((name) => root.querySelector(name));
    button.onclick = () => input.click();
    input.onchange = () => this.take();
    let inside = 0;
    const over = (change) => (event) => {
      event.preventDefault();
      inside += change;
      drop.classList.toggle("over", inside > 0);
    };
    drop.ondragenter = over(1);
    drop.ondragleave = over(-1);
    drop.ondragover = (event) => event.preventDefault();
    drop.ondrop = (event) => {
      over(-inside)(event);
      queue.add([...event.dataTransfer.files]);
    };
  }

  update(data) {
    this.queue.view = this;
    this.root.querySelector(".choose").textContent = data.label;
    this.root.querySelector(".hint").textContent = data.hint;
    this.root.querySelector("input").accept = data.suffixes.map((suffix) => `.${suffix}`).join(",");
    this.root.querySelector("input").setAttribute("aria-label", data.label);
    this.root.querySelector(".uploader").hidden = false;
    this.say(this.queue.said ?? "");
    this.queue.update(data);
  }

  take() {
    const input = this.root.querySelector("input");
    if (input.files.length) this.queue.add([...input.files]);
    input.value = "";
  }

  // Told once for each change; again when the component comes back, and where the page doesn't answer: what is told
  // while it draws itself anew can be lost.
  tell() {
    const told = this.queue.files.filter((file) => file.id && ["asking", "sending", "sent"].includes(file.state));
    const files = told.map(({ id, source, state, picture, head }) => {
      const known = { id, name: source.name, size: source.size, type: source.type, state };
      return state === "sent" ? { ...known, picture: picture || null, head: head || null } : known;
    });
    // That it is being sent is nothing that the page has to do anything about.
    const mark = files.map((file) => `${file.id} ${file.state === "sent"}`).join();
    if (mark === (this.told ?? "")) return;
    this.told = mark;
    this.setState("files", files);
    clearTimeout(this.timer);
    if (told.some((file) => file.state !== "sending")) this.timer = setTimeout(() => this.tellAgain(), TELL_AGAIN);
  }

  tellAgain() {
    if (this.queue.view !== this || this.queue.files.every((file) => !["asking", "sent"].includes(file.state))) return;
    this.told = undefined;
    this.tell();
  }

  give_up() {
    this.setState("unreachable", true);
  }

  say(words) {
    const said = this.root.querySelector(".said");
    if (said.textContent !== words) said.textContent = words;
  }

  draw() {
    const list = this.root.querySelector(".files");
    const shown = this.queue.files.filter((file) => file.state !== "sent");
    for (const [file, row] of this.rows) {
      if (shown.includes(file)) continue;
      row.remove();
      this.rows.delete(file);
    }
    for (const file of shown) {
      if (!this.rows.has(file)) this.rows.set(file, list.appendChild(this.row(file)));
      const row = this.rows.get(file);
      row.classList.toggle("failed", file.state === "failed");
      row.querySelector(".again").hidden = file.state !== "failed";
      row.querySelector(".bar").hidden = file.state === "failed";
      row.querySelector(".cancel").textContent = file.state === "failed" ? "Remove" : "Cancel";
      this.progress(file);
    }
  }

  row(file) {
    const row = document.createElement("li");
    row.innerHTML = `<span class="name"></span><span class="buttons"><button type="button" class="again">Try again</button>
      <button type="button" class="cancel"></button></span>
      <div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><i></i></div><span class="words"></span>`;
    row.querySelector(".name").textContent = file.source.name;
    row.querySelector(".bar").setAttribute("aria-label", `Sending ${file.source.name}`);
    row.querySelector(".again").onclick = () => this.queue.again(file);
    row.querySelector(".cancel").onclick = () => this.queue.cancel(file);
    return row;
  }

  progress(file) {
    const row = this.rows.get(file);
    if (!row) return;
    const sent = Math.min(file.source.size, file.sent.reduce((sum, part) => sum + (part || 0), 0));
    const percent = file.source.size ? Math.floor((100 * sent) / file.source.size) : 0;
    row.querySelector(".bar i").style.width = `${percent}%`;
    row.querySelector(".bar").setAttribute("aria-valuenow", percent);
    const words = { waiting: "Waits for its turn.", asking: "About to be sent." };
    row.querySelector(".words").textContent =
      file.words || words[file.state] || `Sending: ${megabytes(sent)} of ${megabytes(file.source.size)}`;
  }
}

function megabytes(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}
