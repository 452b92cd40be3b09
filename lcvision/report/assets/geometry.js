'use strict';
// What pareto.py, labels.py and style.py compute for the pictures, for what the reader has chosen.

function beats(a, b) {
  const [ours, theirs] = a.by_yardstick && b.by_yardstick ? [a.by_yardstick, b.by_yardstick] : [a, b];
  const slack = Math.min(...[ours, theirs].map(p => (p.high ?? p.median) - (p.low ?? p.median)));
  if (a.accuracy === b.accuracy) return ours.median + slack < theirs.median;
  return a.accuracy > b.accuracy && ours.median <= theirs.median + slack;
}

function paretoFront(points) {
  const order = [...points].sort((a, b) => a.median - b.median || a.accuracy - b.accuracy);
  return order.filter(point => !points.some(other => beats(other, point)));
}

function staircase(front, right) {
  const corners = [];
  for (const point of front) {
    if (corners.length) corners.push([point.median, corners[corners.length - 1][1]]);
    corners.push([point.median, point.accuracy]);
  }
  if (corners.length) corners.push([right, corners[corners.length - 1][1]]);
  return corners;
}

// Downwards is positive here, so the second number of a direction is turned round.
const DIRECTIONS = [[1, 0], [1, -1], [1, 1], [0, -1], [0, 1], [-1, 0], [-1, -1], [-1, 1]];
const DISTANCES = [1, 2.6, 4.4, 6.5];

function candidates([x, y], [width, height], gap) {
  const boxes = [];
  for (const distance of DISTANCES) {
    for (const [right, down] of DIRECTIONS) {
      const away = gap * distance * (right && down ? 0.75 : 1);
      const left = x + right * away - (right === 0 ? width / 2 : right < 0 ? width : 0);
      const top = y + down * away - (down === 0 ? height / 2 : down < 0 ? height : 0);
      boxes.push([left, top, left + width, top + height]);
    }
  }
  return boxes;
}

const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
const inside = (a, b) => a[0] >= b[0] && a[1] >= b[1] && a[2] <= b[2] && a[3] <= b[3];

function placeLabels(points, sizes, bounds, obstacles, lines, gap) {
  const taken = [...obstacles];
  return points.map((point, i) => {
    const free = candidates(point, sizes[i], gap)
      .filter(box => inside(box, bounds) && !taken.some(other => overlap(box, other)));
    const box = free.find(one => !lines.some(line => overlap(one, line))) ?? free[0] ?? null;
    if (box) taken.push(box);
    return box;
  });
}

function leader([x, y], box, gap) {
  const nearX = Math.min(Math.max(x, box[0]), box[2]);
  const nearY = Math.min(Math.max(y, box[1]), box[3]);
  return Math.max(Math.abs(nearX - x), Math.abs(nearY - y)) > 1.5 * gap ? [nearX, nearY] : null;
}

function limits(points) {
  const low = Math.min(...points.map(p => Math.min(p.median, p.p10 ?? p.median)));
  const high = Math.max(...points.map(p => Math.max(p.median, p.p90 ?? p.median, p.high ?? 0)));
  if (high / low >= 6) return {left: low / 1.25, right: high * 1.5, log: true};
  const span = high - low || high / 2;
  return {left: Math.max(0, low - 0.12 * span), right: high + 0.25 * span, log: false};
}

function ticks(low, high, log) {
  const found = [];
  if (log) {
    const mantissas = high / low < 20 ? [1, 1.5, 2, 3, 4, 5, 7] : [1, 2, 5];
    for (let e = -3; e < 6; e++) for (const m of mantissas) found.push(Number((m * 10 ** e).toPrecision(2)));
    return found.filter(value => value >= low && value <= high);
  }
  const rough = (high - low) / 6, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(m => m * power >= rough);
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) {
    found.push(Number(value.toPrecision(10)));
  }
  return found;
}

if (typeof module !== 'undefined') {
  module.exports = {paretoFront, staircase, placeLabels, overlap, limits, ticks};
}
