// Parts of a TIFF as the service writes it: TIFF tiles, deflated with the horizontal predictor, all directories first.
const MOST_TILES_KEPT = 160;
const MOST_TILES_SHOWN = 96;
const FETCHES_AT_ONCE = 6;
const HEAD_BYTES = 64 << 10;
const TYPES = { 3: ["getUint16", 2], 4: ["getUint32", 4], 16: ["getBigUint64", 8] };
const TAGS = {
  256: "width", 257: "height", 258: "bits", 277: "samples", 322: "tileWidth", 323: "tileHeight", 324: "offsets", 325: "counts",
};

class Tiff {
  constructor(url, onTile) {
    this.url = url;
    this.onTile = onTile;
    this.levels = [];
    this.tiles = new Map();
    this.waiting = [];
    this.fetching = 0;
    this.open().then(onTile, () => this.fail());
  }

  fail() {
    this.failed = true;
    this.onTile();
  }

  async bytes(start, length) {
    if (this.head && start + length <= this.head.byteLength) return new DataView(this.head, start, length);
    const answer = await fetch(this.url, { headers: { range: `bytes=${start}-${start + length - 1}` } });
    if (answer.status !== 206) throw new Error(`storage answered ${answer.status}`);
    return new DataView(await answer.arrayBuffer());
  }

  async open() {
    this.head = (await this.bytes(0, HEAD_BYTES)).buffer;
    const start = new DataView(this.head);
    if (start.getUint16(0) !== 0x4949) throw new Error("the byte order is another one");
    this.big = start.getUint16(2, true) === 43;
    let place = this.big ? Number(start.getBigUint64(8, true)) : start.getUint32(4, true);
    while (place) place = await this.directory(place);
  }

  async directory(place) {
    const [countBytes, entryBytes, inline] = this.big ? [8, 20, 8] : [2, 12, 4];
    const number = (view, at, bytes) => Number(bytes === 8 ? view.getBigUint64(at, true) : bytes === 4 ? view.getUint32(at, true) : view.getUint16(at, true));
    const count = number(await this.bytes(place, countBytes), 0, countBytes);
    const entries = await this.bytes(place + countBytes, count * entryBytes + inline);
    const level = {};
    for (let i = 0; i < count; i++) {
      const at = i * entryBytes;
      const name = TAGS[entries.getUint16(at, true)];
      if (!name) continue;
      const [read, size] = TYPES[entries.getUint16(at + 2, true)];
      const values = number(entries, at + 4, inline);
      const value = at + 4 + inline;
      const [view, from] = values * size <= inline ? [entries, value]
        : [await this.bytes(number(entries, value, inline), values * size), 0];
      level[name] = Array.from({ length: values }, (_, n) => Number(view[read](from + n * size, true)));
    }
    for (const name of ["width", "height", "samples", "tileWidth", "tileHeight"]) level[name] = level[name][0];
    level.columns = Math.ceil(level.width / level.tileWidth);
    this.levels.push(level);
    return number(entries, count * entryBytes, inline);
  }

  // The tiles that cover part of the image (fractions of its sides) at *scale* pixels of the screen for one of its own.
  // They are fetched as far as they aren't here; nothing where there would be too many.
  cover([left, top, right, bottom], scale) {
    if (!this.levels.length) return null;
    const fine = this.levels.filter((level) => level.width >= scale * this.levels[0].width * 0.75);
    const level = fine.length ? fine.reduce((a, b) => (a.width < b.width ? a : b)) : this.levels[0];
    const span = (from, to, size, tile) => [Math.floor((from * size) / tile), Math.floor((Math.min(to, 0.999999) * size) / tile)];
    const [x0, x1] = span(left, right, level.width, level.tileWidth);
    const [y0, y1] = span(top, bottom, level.height, level.tileHeight);
    if ((x1 - x0 + 1) * (y1 - y0 + 1) > MOST_TILES_SHOWN) return null;
    const tiles = [];
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) tiles.push({ level, x, y, picture: this.tile(level, y * level.columns + x) });
    }
    this.waiting = this.waiting.filter((order) => tiles.some((each) => each.level === order.level && each.y * level.columns + each.x === order.index));
    return tiles;
  }

  tile(level, index) {
    const key = `${this.levels.indexOf(level)} ${index}`;
    const known = this.tiles.get(key);
    if (known) return known;
    if (!this.waiting.some((order) => order.key === key) && !this.busy?.has(key)) this.waiting.push({ key, level, index });
    queueMicrotask(() => this.work());
    return null;
  }

  async work() {
    this.busy ??= new Set();
    while (this.fetching < FETCHES_AT_ONCE && this.waiting.length && !this.failed) {
      const { key, level, index } = this.waiting.shift();
      this.fetching++;
      this.busy.add(key);
      this.decoded(level, index).then(
        (picture) => {
          this.tiles.set(key, picture);
          while (this.tiles.size > MOST_TILES_KEPT) this.tiles.delete(this.tiles.keys().next().value);
        },
        () => (this.failed = true),
      ).finally(() => {
        this.fetching--;
        this.busy.delete(key);
        this.onTile();
        this.work();
      });
    }
  }

  async decoded(level, index) {
    const { tileWidth, tileHeight, samples } = level;
    const packed = await this.bytes(level.offsets[index], level.counts[index]);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const raw = await new Response(stream).arrayBuffer();
    const wide = level.bits[0] === 16;
    const values = wide ? new Uint16Array(raw) : new Uint8Array(raw);
    const row = tileWidth * samples;
    for (let start = 0; start < values.length; start += row) {
      for (let i = start + samples; i < start + row; i++) values[i] += values[i - samples];
    }
    const image = new ImageData(tileWidth, tileHeight);
    const gray = samples < 3;
    for (let i = 0, to = 0; to < image.data.length; i += samples, to += 4) {
      for (let c = 0; c < 3; c++) image.data[to + c] = wide ? values[i + (gray ? 0 : c)] >> 8 : values[i + (gray ? 0 : c)];
      image.data[to + 3] = samples % 2 ? 255 : wide ? values[i + samples - 1] >> 8 : values[i + samples - 1];
    }
    return createImageBitmap(image);
  }
}

