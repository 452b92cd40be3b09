'use strict';
const NAMESPACE = document.getElementById('seed').namespaceURI;
const COLOURS = {front: '#0072B2', paper: '#D55E00', paperSoft: '#F0B48A', beaten: '#9AA5B1', ink: '#1F2933',
  soft: '#616E7C', grid: '#E4E7EB'};
const SHAPES = {
  'eager': 'M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z',
  'inductor': 'M-4.6-4.6H4.6V4.6H-4.6Z',
  'inductor-freezing': 'M0-6.2L6.2 0L0 6.2L-6.2 0Z',
  'aot-inductor': 'M0-5.8L5.8 4.6H-5.8Z',
  'onnxruntime': 'M0 5.8L5.8-4.6H-5.8Z',
  'openvino': 'M0-6L5.2-3V3L0 6L-5.2 3V-3Z',
  'paper': 'M-6-3.2L-3.2-6L0-2.8L3.2-6L6-3.2L2.8 0L6 3.2L3.2 6L0 2.8L-3.2 6L-6 3.2L-2.8 0Z',
  'other': 'M-2-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z',
};

function draw(parent, name, attributes, text) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function canvas(width, height, label) {
  const svg = document.createElementNS(NAMESPACE, 'svg');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('class', 'chart');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  return svg;
}

function mark(parent, shape, x, y, colour, hollow, scale) {
  return draw(parent, 'path', {d: SHAPES[shape] ?? SHAPES.other, transform: `translate(${x} ${y}) scale(${scale})`,
    fill: hollow ? '#fff' : colour, stroke: colour, 'stroke-width': 1.6, class: 'mark'});
}

function scaleX(range, left, right) {
  const f = range.log ? Math.log : value => value;
  const from = f(range.left), to = f(range.right);
  return value => left + (f(Math.max(value, range.left)) - from) / (to - from) * (right - left);
}

function axisX(svg, range, x, top, bottom, size) {
  for (const value of ticks(range.left, range.right, range.log)) {
    draw(svg, 'line', {x1: x(value), x2: x(value), y1: top, y2: bottom, stroke: COLOURS.grid});
    draw(svg, 'text', {x: x(value), y: bottom + size + 6, 'text-anchor': 'middle', 'font-size': size,
      fill: COLOURS.soft}, `${value}`);
  }
  draw(svg, 'line', {x1: x(range.left), x2: x(range.right), y1: bottom, y2: bottom, stroke: COLOURS.beaten});
  draw(svg, 'text', {x: (x(range.left) + x(range.right)) / 2, y: bottom + 2 * size + 14, 'text-anchor': 'middle',
    'font-size': size, fill: COLOURS.soft}, `ms for one image${range.log ? ', logarithmic' : ''}`);
}

function axisY(svg, low, high, y, left, right, name) {
  for (const value of ticks(low, high, false)) {
    draw(svg, 'line', {x1: left, x2: right, y1: y(value), y2: y(value), stroke: COLOURS.grid});
    draw(svg, 'text', {x: left - 10, y: y(value) + 5, 'text-anchor': 'end', 'font-size': 14, fill: COLOURS.soft},
      `${value}`);
  }
  const middle = (y(low) + y(high)) / 2;
  draw(svg, 'text', {x: 16, y: middle, transform: `rotate(-90 16 ${middle})`, 'text-anchor': 'middle',
    'font-size': 14, fill: COLOURS.soft}, name);
}

// points: median, accuracy, low, high, p10, p90, shape, colour, hollow, main, text (of the label, or null), tip.
function scatter(holder, points, options) {
  const {width, height, size} = options, left = 62, right = width - 12, top = 12, bottom = height - 54;
  const svg = canvas(width, height, options.label);
  holder.append(svg);
  const range = limits(points), x = scaleX(range, left, right);
  const values = points.map(point => point.accuracy);
  const span = Math.max(Math.max(...values) - Math.min(...values), 4);
  const low = Math.max(0, Math.min(...values) - 0.14 * span), high = Math.min(100, Math.max(...values) + 0.14 * span);
  const y = value => bottom - (value - low) / (high - low) * (bottom - top);
  axisY(svg, low, high, y, left, right, options.metric);
  axisX(svg, range, x, top, bottom, 14);
  const lines = [];
  const corners = options.stairs ? staircase(points.filter(point => point.main), range.right) : [];
  const pixels = corners.map(([ms, accuracy]) => [x(ms), y(accuracy)]);
  if (pixels.length) {
    draw(svg, 'path', {d: `M${pixels.join('L')}`, fill: 'none', stroke: COLOURS.front, 'stroke-width': 2,
      'stroke-opacity': 0.45});
    pixels.slice(1).forEach((b, i) => lines.push(band(pixels[i], b)));
  }
  if (options.budget > range.left && options.budget < range.right) {
    draw(svg, 'line', {x1: x(options.budget), x2: x(options.budget), y1: top, y2: bottom, stroke: COLOURS.ink,
      'stroke-dasharray': '4 4', class: 'budget'});
  }
  for (const point of [...points].sort((a, b) => a.main - b.main)) {
    const height_ = y(point.accuracy);
    if (point.low !== undefined) lines.push(interval(svg, point, x, height_));
    const drawn = mark(svg, point.shape, x(point.median), height_, point.colour, point.hollow, point.main ? 1.15 : 0.9);
    hover(drawn, point.tip);
  }
  annotate(svg, points.filter(point => point.text), points, {x, y, lines, size, bounds: [left, 0, width, bottom]});
}

function band(a, b) {
  return [Math.min(a[0], b[0]) - 2, Math.min(a[1], b[1]) - 5, Math.max(a[0], b[0]) + 2, Math.max(a[1], b[1]) + 5];
}

function interval(svg, point, x, y) {
  const from = x(point.p10 ?? point.low), to = x(point.p90 ?? point.high);
  draw(svg, 'line', {x1: from, x2: to, y1: y, y2: y, stroke: point.colour, 'stroke-opacity': 0.25,
    'stroke-width': 8});
  draw(svg, 'line', {x1: x(point.low), x2: x(point.high), y1: y, y2: y, stroke: point.colour, 'stroke-width': 2.5});
  return band([from, y], [to, y]);
}

function annotate(svg, labelled, points, {x, y, lines, size, bounds}) {
  const texts = labelled.map(point => draw(svg, 'text', {x: 0, y: 0, 'font-size': size, class: 'label',
    'font-weight': point.main ? 700 : 400, fill: point.main ? point.ink : COLOURS.soft}, point.text));
  const boxes = texts.map(text => text.getBBox());
  const spots = labelled.map(point => [x(point.median), y(point.accuracy)]);
  const marks = points.map(point => [x(point.median) - 7, y(point.accuracy) - 7, x(point.median) + 7,
    y(point.accuracy) + 7]);
  const places = placeLabels(spots, boxes.map(box => [box.width, box.height]), bounds, marks, lines, 11);
  texts.forEach((text, i) => {
    if (!places[i]) {
      text.remove();
      return;
    }
    text.setAttribute('x', places[i][0]);
    text.setAttribute('y', places[i][1] - boxes[i].y);
    const end = leader(spots[i], places[i], 11);
    if (end) draw(svg, 'line', {x1: spots[i][0], y1: spots[i][1], x2: end[0], y2: end[1], stroke: COLOURS.beaten});
  });
}

function strip(holder, rows, label) {
  const width = 1360, left = 300, right = width - 16, height = 24 * rows.length + 60;
  const svg = canvas(width, height, label);
  holder.append(svg);
  const range = limits(rows.flatMap(row => row.points));
  // Room for the number left of the quickest point.
  range.left = range.log ? range.left / 1.2 : Math.max(0, range.left - 0.05 * (range.right - range.left));
  const x = scaleX(range, left, right);
  axisX(svg, range, x, 4, height - 50, 13);
  rows.forEach((row, i) => {
    const y = 18 + 24 * i;
    draw(svg, 'line', {x1: left, x2: right, y1: y, y2: y, stroke: COLOURS.grid});
    draw(svg, 'text', {x: left - 14, y: y + 5, 'text-anchor': 'end', 'font-size': 14, fill: COLOURS.ink}, row.name);
    for (const point of row.points) {
      interval(svg, {...point, colour: COLOURS.soft}, x, y);
      hover(mark(svg, point.shape, x(point.median), y, COLOURS.soft, point.hollow, 0.9), point.tip);
    }
    const first = row.points[0];
    draw(svg, 'text', {x: x(first.p10 ?? first.low) - 8, y: y + 4, 'text-anchor': 'end', 'font-size': 12,
      fill: COLOURS.soft}, milliseconds(first.median));
  });
}

function hover(element, text) {
  const tip = document.getElementById('tip');
  element.addEventListener('mouseenter', event => {
    tip.textContent = text;
    tip.hidden = false;
    const {clientX, clientY} = event;
    tip.style.left = `${Math.min(clientX + 14, window.innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(clientY + 14, window.innerHeight - tip.offsetHeight - 8)}px`;
  });
  element.addEventListener('mouseleave', () => { tip.hidden = true; });
}
