'use strict';

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function milliseconds(value) {
  if (value === null || value === undefined) return '–';
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}

function count(value) {
  if (value === null || value === undefined) return '–';
  for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['K', 1e3]]) {
    if (value >= size) return `${Number((value / size).toPrecision(3))}${unit}`;
  }
  return `${value}`;
}

const sizeOf = point => point.input[0] === point.input[1] ? `${point.input[0]}` : point.input.join('×');

// Columns: [heading, value to sort by, text of the cell, whether it is text].
const COLUMNS = metric => [
  ['Model', p => p.name, p => p.name, true],
  [`${metric} (%)`, p => p.accuracy ?? null, p => p.accuracy === undefined ? '–' : p.accuracy.toFixed(1)],
  ['ms', p => p.median, p => milliseconds(p.median) + (p.noisy ? '*' : '')],
  ['p10–p90', p => p.p10, p => `${milliseconds(p.p10)}–${p.p90 === null ? '?' : milliseconds(p.p90)}`],
  ['95 % interval', p => p.low, p => `${milliseconds(p.low)}–${milliseconds(p.high)}`],
  ['Engine', p => p.engine_name, p => p.engine_name, true],
  ['Precision', p => p.precision, p => p.precision, true],
  ['Threads', p => p.threads, p => `${p.threads}`],
  ['Input', p => p.input[0] * p.input[1], sizeOf],
  ['Params', p => p.params, p => count(p.params)],
  ['MACs', p => p.macs, p => count(p.macs)],
  ['First ms', p => p.first, p => milliseconds(p.first)],
  ['Compile s', p => p.compile, p => p.compile === null ? '–' : p.compile.toFixed(1)],
  ['Noisy because', p => p.why.join(), p => p.noisy ? p.why.join('; ') || 'marked noisy' : '', true],
];

const PAPER_COLUMNS = metric => [
  ['Model', p => p.model, p => p.model, true],
  [`${metric} (%)`, p => p.accuracy, p => p.accuracy.toFixed(2)],
  ['ms, on the paper’s machine', p => p.ms, p => `${p.ms}`],
  ['Table', p => p.table, p => `${p.table}`],
  ['Our config', p => p.config ?? '', p => p.config ?? '–', true],
];

function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === 'string' ? a.localeCompare(b, 'en', {numeric: true}) : a - b;
}

// sort: {column, down}, kept by the caller so that it outlives a change of the filters.
function table(rows, columns, sort, front = new Set()) {
  const head = make('tr'), body = make('tbody');
  const element = make('table', {}, make('thead', {}, head), body);
  const fill = () => {
    const value = columns[sort.column][1];
    const ordered = [...rows].sort((a, b) => (sort.down ? -1 : 1) * compare(value(a), value(b)));
    body.replaceChildren(...ordered.map(row => make('tr', front.has(row) ? {class: 'front'} : {},
      ...columns.map(([heading, , text, isText]) => make('td', {class: isText ? heading === 'Noisy because' ? 'text why'
        : 'text' : ''}, text(row))))));
    [...head.children].forEach((cell, i) => {
      if (i === sort.column) cell.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    });
  };
  columns.forEach(([heading, , , isText], i) => {
    const button = make('button', {type: 'button', title: 'sort'}, heading);
    button.addEventListener('click', () => {
      sort.down = sort.column === i && !sort.down;
      sort.column = i;
      fill();
    });
    head.append(make('th', {scope: 'col', class: isText ? 'text' : ''}, button));
  });
  fill();
  return make('div', {class: 'scroll'}, element);
}
