// Reads a QR code in a picture (ISO/IEC 18004): `textIn(pixels, width, height)` gives its text, or null. For browsers
// that read no such codes by themselves. Up to version 20; a camera sees no larger one. Knows no page.

const LARGEST = 20;
// By error level L, M, Q, H: check words in a block, and blocks, of versions 1 to 20 (table 9).
const CHECKS = [
  [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28],
  [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26],
  [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30],
  [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28],
];
const BLOCKS = [
  [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8],
  [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16],
  [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20],
  [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25],
];
const MASKS = [
  (x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2, (x, y) => ((x * y) % 2) + ((x * y) % 3),
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/** The text of the code in `pixels` (RGBA, as in ImageData), or null. */
export function textIn(pixels, width, height) {
  const dark = darkIn(pixels, width, height);
  const isDark = (x, y) => (x >= 0 && y >= 0 && x < width && y < height ? dark[Math.floor(y) * width + Math.floor(x)] : 0);
  for (const corners of cornersIn(dark, width, height)) {
    for (const size of sizesOf(corners).filter((one) => isTimed(isDark, corners, one))) {
      for (const fourth of [flat(corners), tilted(corners)]) {
        const text = read(gridOf(isDark, corners, fourth, size), size);
        if (text !== null) return text;
      }
    }
  }
  return null;
}

/* What is dark: darker than what is around it, so that a shadow on the paper does no harm */

function darkIn(pixels, width, height) {
  const sums = new Float64Array((width + 1) * (height + 1));
  const light = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0, row = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      light[y * width + x] = (pixels[at] * 77 + pixels[at + 1] * 151 + pixels[at + 2] * 28) >> 8;
      row += light[y * width + x];
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  const reach = Math.max(8, Math.floor(Math.min(width, height) / 10));
  const dark = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const top = Math.max(0, y - reach), bottom = Math.min(height, y + reach + 1);
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - reach), right = Math.min(width, x + reach + 1);
      const sum = sums[bottom * (width + 1) + right] - sums[top * (width + 1) + right]
        - sums[bottom * (width + 1) + left] + sums[top * (width + 1) + left];
      dark[y * width + x] = light[y * width + x] * (bottom - top) * (right - left) < sum * 0.9 ? 1 : 0;
    }
  }
  return dark;
}

/* The three squares in the corners: dark, light, dark, light, dark as 1 : 1 : 3 : 1 : 1 in any direction */

function unitOf(runs) {
  const unit = (runs[0] + runs[1] + runs[2] + runs[3] + runs[4]) / 7;
  const fits = unit >= 1 && runs.every((run, n) => Math.abs(run - (n === 2 ? 3 : 1) * unit) < (n === 2 ? 1.5 : 0.75) * unit);
  return fits ? unit : 0;
}

/** From a dark point: the middle and the unit of the square along one axis, or null. */
function across(dark, at, step, most) {
  const runs = [0, 0, 0, 0, 0];
  const walk = (from, way, places) => {
    let here = from;
    for (const [n, place] of places.entries()) {
      while (here >= 0 && here < most && dark[at + here * step] === (n % 2 ? 0 : 1)) {
        runs[place]++;
        here += way;
      }
    }
    return here;
  };
  return (from) => {
    runs.fill(0);
    const end = walk(from, 1, [2, 3, 4]);
    walk(from - 1, -1, [2, 1, 0]);
    const unit = unitOf(runs);
    return unit ? { middle: end - runs[4] - runs[3] - runs[2] / 2, unit } : null;
  };
}

function cornersIn(dark, width, height) {
  const found = [];
  for (let y = 0; y < height; y += 2) {
    const runs = [0, 0, 0, 0, 0];
    for (let x = 0, last = 0; x <= width; x++) {
      const now = x < width ? dark[y * width + x] : 1 - last;
      if (now === last) { runs[4]++; continue; }
      if (last && unitOf(runs)) note(found, dark, width, height, Math.round(x - runs[4] - runs[3] - runs[2] / 2), y);
      runs.shift();
      runs.push(1);
      last = now;
    }
  }
  return triples(found.sort((one, other) => other.seen - one.seen).slice(0, 9));
}

function note(found, dark, width, height, x, y) {
  if (!dark[y * width + x]) return;
  const down = across(dark, x, width, height)(y);
  const along = down && across(dark, Math.round(down.middle - 0.5) * width, 1, width)(x);
  if (!along || down.unit > 2 * along.unit || along.unit > 2 * down.unit) return;
  const unit = (down.unit + along.unit) / 2;
  const near = found.find((one) => Math.hypot(one.x - along.middle, one.y - down.middle) < 3 * unit);
  if (near) near.seen++;
  else found.push({ x: along.middle, y: down.middle, unit, seen: 1 });
}

/** Three squares each, as top left, top right and bottom left, those first that stand most like a right angle. */
function triples(found) {
  const all = [];
  for (let a = 0; a < found.length; a++) for (let b = 0; b < found.length; b++) for (let c = 0; c < found.length; c++) {
    const [top, right, below] = [found[a], found[b], found[c]];
    const [u, v] = [{ x: right.x - top.x, y: right.y - top.y }, { x: below.x - top.x, y: below.y - top.y }];
    const [long, high] = [Math.hypot(u.x, u.y), Math.hypot(v.x, v.y)];
    const units = [top.unit, right.unit, below.unit];
    if (u.x * v.y - u.y * v.x <= 0 || Math.max(...units) > 2 * Math.min(...units)) continue;
    const off = Math.abs(u.x * v.x + u.y * v.y) / (long * high) + Math.abs(Math.log(long / high));
    if (off < 0.9) all.push({ top, right, below, off });
  }
  return all.sort((one, other) => one.off - other.off).slice(0, 8);
}

function sizesOf({ top, right, below }) {
  // Units are measured along the picture's axes, across a code that may be turned.
  const units = (to) => ((to.x - top.x) ** 2 + (to.y - top.y) ** 2)
    / (Math.max(Math.abs(to.x - top.x), Math.abs(to.y - top.y)) * (to.unit + top.unit) / 2);
  const version = Math.round(((units(right) + units(below)) / 2 + 7 - 17) / 4);
  return [0, 1, -1, 2, -2].map((by) => version + by).filter((one) => one >= 1 && one <= LARGEST).map((one) => 17 + 4 * one);
}

/** Whether light and dark take turns between the corners as often as in a code of this size. */
function isTimed(isDark, { top, right, below }, size) {
  const turns = (to, other) => {
    const away = [(other.x - top.x) / (size - 7), (other.y - top.y) / (size - 7)];
    const along = [(to.x - top.x) / (size - 7), (to.y - top.y) / (size - 7)];
    const at = (n) => isDark(top.x + n * along[0] + 3 * away[0], top.y + n * along[1] + 3 * away[1]);
    let count = 0;
    for (let n = 3.25; n <= size - 10; n += 0.25) if (at(n) !== at(n - 0.25)) count++;
    return Math.abs(count + 13 - size);
  };
  return Math.min(turns(right, below), turns(below, right)) <= 2;
}

/* The units of the code: where each stands in the picture, by the corners and the small square near the fourth */

/** The fourth corner if the code is seen from straight above. */
const flat = ({ top, right, below }) => [right.x + below.x - top.x, right.y + below.y - top.y];

/** The same if it is seen aslant: what looks smaller is farther away. */
function tilted({ top, right, below }) {
  const depth = 1 / right.unit + 1 / below.unit - 1 / top.unit;
  return ["x", "y"].map((axis) => (right[axis] / right.unit + below[axis] / below.unit - top[axis] / top.unit) / depth);
}

function gridOf(isDark, { top, right, below }, corner, size) {
  const far = size - 7, to = size - 3.5;
  const [u, v] = [[(right.x - top.x) / far, (right.y - top.y) / far], [(below.x - top.x) / far, (below.y - top.y) / far]];
  const about = [corner[0] - 3 * (u[0] + v[0]), corner[1] - 3 * (u[1] + v[1])];
  const seen = size > 21 ? smallSquare(isDark, about, u, v) : null;
  const fourth = seen ? { to: size - 6.5, at: seen } : { to, at: corner };
  const place = warp([[3.5, 3.5], [to, 3.5], [3.5, to], [fourth.to, fourth.to]],
    [[top.x, top.y], [right.x, right.y], [below.x, below.y], fourth.at]);
  const grid = [];
  for (let y = 0; y < size; y++) grid.push(Array.from({ length: size }, (_, x) => isDark(...place(x + 0.5, y + 0.5))));
  return grid;
}

/** The middle of the 5 by 5 square that fits best near `about`, or null. */
function smallSquare(isDark, about, u, v) {
  let best = { fits: 20, places: [] };
  for (let i = -5; i <= 5; i += 0.25) for (let j = -5; j <= 5; j += 0.25) {
    const [x, y] = [about[0] + i * u[0] + j * v[0], about[1] + i * u[1] + j * v[1]];
    let fits = 0;
    for (let m = -2; m <= 2; m++) for (let n = -2; n <= 2; n++) {
      const wanted = Math.max(Math.abs(m), Math.abs(n)) === 1 ? 0 : 1;
      if (isDark(x + m * u[0] + n * v[0], y + m * u[1] + n * v[1]) === wanted) fits++;
    }
    if (fits > best.fits) best = { fits, places: [] };
    if (fits === best.fits) best.places.push([x, y]);
  }
  const middle = (n) => best.places.reduce((sum, place) => sum + place[n], 0) / best.places.length;
  return best.fits > 20 ? [middle(0), middle(1)] : null;
}

/** The projection that takes four points of the code to four of the picture: eight equations, solved by elimination. */
function warp(from, to) {
  const rows = from.flatMap(([x, y], n) => [
    [x, y, 1, 0, 0, 0, -x * to[n][0], -y * to[n][0], to[n][0]],
    [0, 0, 0, x, y, 1, -x * to[n][1], -y * to[n][1], to[n][1]],
  ]);
  for (let n = 0; n < 8; n++) {
    const pivot = rows.slice(n).reduce((most, row) => (Math.abs(row[n]) > Math.abs(most[n]) ? row : most));
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(n, 0, pivot.map((value) => value / pivot[n]));
    for (const [m, row] of rows.entries()) if (m !== n) rows[m] = row.map((value, k) => value - row[n] * rows[n][k]);
  }
  const [a, b, c, d, e, f, g, h] = rows.map((row) => row[8]);
  return (x, y) => [(a * x + b * y + c) / (g * x + h * y + 1), (d * x + e * y + f) / (g * x + h * y + 1)];
}

/* From the units to the text */

function read(grid, size) {
  const format = formatOf(grid, size);
  if (format === null) return null;
  const version = (size - 17) / 4;
  const words = wordsOf(grid, size, version, MASKS[format & 7]);
  const data = corrected(words, CHECKS[[1, 0, 3, 2][format >> 3]][version - 1], BLOCKS[[1, 0, 3, 2][format >> 3]][version - 1]);
  return data && textOf(data, version);
}

/** Error level and mask, five bits: those whose code (BCH 15,5) differs from one of both copies least, if by three bits at most. */
function formatOf(grid, size) {
  const copies = [0, 0];
  for (let n = 0; n < 15; n++) {
    const one = n < 6 ? grid[n][8] : n < 8 ? grid[n + 1][8] : n < 9 ? grid[8][7] : grid[8][14 - n];
    copies[0] |= one << n;
    copies[1] |= (n < 8 ? grid[8][size - 1 - n] : grid[size - 15 + n][8]) << n;
  }
  const off = (code) => Math.min(...copies.map((copy) => [...(copy ^ code).toString(2)].filter((bit) => bit === "1").length));
  const all = Array.from({ length: 32 }, (_, format) => {
    let rest = format << 10;
    for (let n = 14; n >= 10; n--) if ((rest >> n) & 1) rest ^= 0x537 << (n - 10);
    return { format, off: off(((format << 10) | rest) ^ 0x5412) };
  });
  const best = all.reduce((least, one) => (one.off < least.off ? one : least));
  return best.off <= 3 ? best.format : null;
}

function wordsOf(grid, size, version, mask) {
  const steps = version === 1 ? 0 : Math.floor(version / 7) + 1;
  const apart = steps && Math.ceil((size - 13) / steps / 2) * 2;
  const lines = steps ? [6, ...Array.from({ length: steps }, (_, n) => size - 7 - (steps - 1 - n) * apart)] : [];
  const isSmall = (x, y) => lines.some((i) => lines.some((j) => Math.abs(i - x) < 3 && Math.abs(j - y) < 3
    && !(i < 9 && j < 9) && !(i < 9 && j > size - 9) && !(i > size - 9 && j < 9)));
  const isFixed = (x, y) => x === 6 || y === 6 || (x < 9 && y < 9) || (x < 9 && y > size - 9) || (x > size - 9 && y < 9)
    || (version > 6 && ((x > size - 12 && y < 6) || (y > size - 12 && x < 6))) || isSmall(x, y);
  const bits = [];
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5;
    for (let n = 0; n < size; n++) for (const x of [right, right - 1]) {
      const y = up ? size - 1 - n : n;
      if (!isFixed(x, y)) bits.push(grid[y][x] ^ (mask(x, y) === 0 ? 1 : 0));
    }
  }
  const words = [];
  for (let n = 0; n + 8 <= bits.length; n += 8) words.push(bits.slice(n, n + 8).reduce((word, bit) => word * 2 + bit, 0));
  return words;
}

/** The data words of all blocks, put right by their check words; null if too many are wrong. */
function corrected(words, checks, blocks) {
  const short = Math.floor(words.length / blocks) - checks, longer = words.length % blocks;
  const parts = Array.from({ length: blocks }, () => []);
  let next = 0;
  for (let n = 0; n <= short; n++) for (let b = n < short ? 0 : blocks - longer; b < blocks; b++) parts[b].push(words[next++]);
  for (let n = 0; n < checks; n++) for (const part of parts) part.push(words[next++]);
  const right = parts.map((part) => repaired(part, checks));
  return right.includes(null) ? null : right.flatMap((part) => part.slice(0, -checks));
}

const POWERS = new Uint8Array(512), LOGS = new Uint8Array(256);
for (let n = 0, value = 1; n < 255; n++) {
  POWERS[n] = POWERS[n + 255] = value;
  LOGS[value] = n;
  value = value < 128 ? value * 2 : (value * 2) ^ 0x11d;
}
const times = (a, b) => (a && b ? POWERS[LOGS[a] + LOGS[b]] : 0);
const over = (a, b) => (a ? POWERS[LOGS[a] + 255 - LOGS[b]] : 0);
/** The value at `x` of a polynomial, its highest coefficient last. */
const valueAt = (parts, x) => parts.reduceRight((sum, part) => times(sum, x) ^ part, 0);

/** A block whose wrong words are put right (Reed-Solomon: Berlekamp, Massey, Forney), or null. */
function repaired(block, checks) {
  const backwards = [...block].reverse();
  const syndromes = Array.from({ length: checks }, (_, n) => valueAt(backwards, POWERS[n]));
  if (syndromes.every((one) => one === 0)) return block;
  let [places, former, errors, gap, scale] = [[1], [1], 0, 1, 1];
  for (let n = 0; n < checks; n++) {
    const off = syndromes[n] ^ places.slice(1, errors + 1).reduce((sum, part, i) => sum ^ times(part, syndromes[n - i - 1]), 0);
    const next = [...places, ...Array(Math.max(0, former.length + gap - places.length)).fill(0)];
    for (const [i, part] of former.entries()) next[i + gap] ^= times(over(off, scale), part);
    if (off && 2 * errors <= n) [former, errors, scale, gap] = [places, n + 1 - errors, off, 1];
    else gap++;
    places = next;
  }
  const value = Array.from({ length: checks }, (_, n) => places.slice(0, n + 1).reduce((sum, part, i) => sum ^ times(part, syndromes[n - i]), 0));
  const slope = places.map((part, n) => (n % 2 ? part : 0)).slice(1);
  let left = errors;
  for (let n = 0; n < block.length; n++) {
    const inverse = POWERS[(255 - n) % 255];
    if (valueAt(places, inverse)) continue;
    backwards[n] ^= times(POWERS[n], over(valueAt(value, inverse), valueAt(slope, inverse)));
    left--;
  }
  const isRight = Array.from({ length: checks }, (_, n) => valueAt(backwards, POWERS[n])).every((one) => one === 0);
  return left === 0 && isRight ? backwards.reverse() : null;
}

function textOf(data, version) {
  let at = 0;
  const take = (count) => {
    let value = 0;
    for (const end = at + count; at < end; at++) value = value * 2 + (((data[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    return value;
  };
  const bytes = [], put = (text) => bytes.push(...new TextEncoder().encode(text));
  const wide = version > 9;
  while (at + 4 <= data.length * 8) {
    const mode = take(4);
    if (mode === 0) break;
    if (mode === 7) take(take(1) ? (take(1) ? 22 : 14) : 7);
    else if (mode === 4) for (let left = take(wide ? 16 : 8); left > 0; left--) bytes.push(take(8));
    else if (mode === 2) for (let left = take(wide ? 11 : 9); left > 0; left -= 2) {
      const pair = take(left > 1 ? 11 : 6);
      put(left > 1 ? LETTERS[Math.floor(pair / 45)] + LETTERS[pair % 45] : LETTERS[pair]);
    } else if (mode === 1) for (let left = take(wide ? 12 : 10); left > 0; left -= 3) {
      put(String(take([0, 4, 7, 10][Math.min(3, left)])).padStart(Math.min(3, left), "0"));
    } else return null;
    if (at > data.length * 8) return null;
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}
