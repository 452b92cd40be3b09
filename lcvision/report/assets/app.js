'use strict';
const REPORT = JSON.parse(document.getElementById('data').textContent);
const ONE = {data: 'Data', machine: 'Machine', scope: 'Scope', threads: 'Threads'};
const MANY = {engine: 'Engine', precision: 'Precision'};
// What stands first among the choices of a filter; the rest follows by name.
const ORDER = ['net', 'e2e', 'fp32', 'bf16', 'int8', 'eager', 'inductor', 'inductor-freezing', 'aot-inductor',
  'onnxruntime', 'openvino'];
const WORDS = {net: 'network only', e2e: 'image to result'};

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function threadsOf(point) {
  return `${point.threads} thread${point.threads > 1 ? 's' : ''}`;
}

function tipOf(point, metric) {
  const lines = [point.name, `${point.engine_name}, ${point.precision}, ${threadsOf(point)}, ` +
    `${WORDS[point.scope]}, ${sizeOf(point)} px`];
  if (point.accuracy !== undefined) lines.push(`${metric} ${point.accuracy.toFixed(1)} % on ${point.data}`);
  lines.push(`${milliseconds(point.median)} ms (p10–p90 ${milliseconds(point.p10)}–${milliseconds(point.p90)}, ` +
    `95 % interval ${milliseconds(point.low)}–${milliseconds(point.high)})`);
  if (point.noisy) lines.push(`noisy: ${point.why.join('; ') || 'the machine was busy'}`);
  lines.push(point.source);
  return lines.join('\n');
}

class Task {
  constructor(report) {
    this.report = report;
    this.everything = [...report.points, ...report.latency_only];
    this.view = {...report.view};
    this.off = {engine: new Set(), precision: new Set()};
    this.budget = NaN;
    this.sort = {column: 2, down: false};
    this.paperSort = {column: 2, down: false};
    this.filters = make('div', {class: 'filters'});
    this.body = make('div');
    const element = make('section', {class: 'task', id: report.task}, make('h2', {}, `${capital(report.task)}: ` +
      `${report.metric} against milliseconds`), this.filters, this.body);
    document.getElementById('main').append(element);
    this.addFilters();
    this.show();
  }

  values(key) {
    const found = new Set(this.everything.map(point => point[key]).filter(value => value !== undefined));
    const place = value => ORDER.includes(value) ? ORDER.indexOf(value) : ORDER.length;
    return [...found].sort((a, b) => place(a) - place(b) || compare(a, b));
  }

  addFilters() {
    const name = (key, value) => key === 'engine' ? this.everything.find(p => p.engine === value).engine_name
      : WORDS[value] ?? `${value}`;
    const group = (key, title, pressed, press) => {
      const values = this.values(key);
      if (values.length < 2) return;
      const buttons = values.map(value => make('button', {type: 'button', 'data-key': key, 'data-value': value},
        name(key, value)));
      const update = () => buttons.forEach((one, i) => one.setAttribute('aria-pressed', pressed(values[i])));
      buttons.forEach((one, i) => one.addEventListener('click', () => { press(values[i]); update(); this.show(); }));
      update();
      this.filters.append(make('div', {class: 'filter', role: 'group', 'aria-label': title},
        make('span', {}, title), ...buttons));
    };
    for (const [key, title] of Object.entries(ONE)) {
      group(key, title, value => this.view[key] === value, value => { this.view[key] = value; });
    }
    for (const [key, title] of Object.entries(MANY)) {
      group(key, title, value => !this.off[key].has(value), value => this.toggle(key, value));
    }
    if (this.report.points.length) this.addBudget();
  }

  toggle(key, value) {
    if (!this.off[key].delete(value)) this.off[key].add(value);
  }

  addBudget() {
    const input = make('input', {type: 'number', min: '0', step: 'any', placeholder: 'none', 'aria-label': 'budget in ms'});
    input.addEventListener('input', () => { this.budget = Number(input.value) || NaN; this.show(); });
    this.answer = make('span', {class: 'answer', role: 'status'});
    this.filters.append(make('div', {class: 'filter'}, make('span', {}, 'Budget, ms'), input, this.answer));
  }

  shown(points) {
    return points.filter(point => Object.keys(ONE).every(key => (point[key] ?? this.view[key]) === this.view[key])
      && Object.keys(MANY).every(key => !this.off[key].has(point[key])));
  }

  show() {
    const points = this.shown(this.report.points), rest = this.shown(this.report.latency_only);
    const front = paretoFront(points);
    const ours = make('div', {class: 'panel'}), paper = make('div', {class: 'panel'});
    this.body.replaceChildren(make('div', {class: 'panels'}, ours, paper));
    this.showOurs(ours, points, front);
    this.showPaper(paper);
    this.showAnswer(points);
    if (rest.length) this.showStrip(rest);
    this.showTables(points, rest, front);
  }

  showOurs(panel, points, front) {
    const {view, report} = this;
    const data = view.data ? `${view.data}, ` : '';
    panel.append(make('h3', {class: 'ours'}, 'Measured here'), make('p', {class: 'soft'}, `${data}${view.machine}, ` +
      `${threadsOf(view)}, ${WORDS[view.scope]}, one image at a time`));
    if (!points.length) {
      panel.append(make('p', {class: 'soft'}, report.points.length ? 'No point with accuracy under these filters.'
        : 'No accuracy was measured yet: see the milliseconds below.'));
      return;
    }
    const named = new Map();
    for (const point of [...front, ...[...points].sort((a, b) => a.median - b.median)]) {
      if (!named.has(point.name)) named.set(point.name, point);
    }
    const several = key => new Set(points.map(point => point[key])).size > 1;
    const extra = point => [...several('engine') ? [point.engine_name] : [], ...several('precision') ? [point.precision]
      : []].map(text => `, ${text}`).join('');
    const onFront = new Set(front);
    // Front first: labels choose their places in this order.
    const marks = [...front, ...points.filter(point => !onFront.has(point))].map(point => ({...point,
      main: onFront.has(point), shape: point.engine, hollow: point.noisy,
      colour: onFront.has(point) ? COLOURS.front : COLOURS.beaten, ink: COLOURS.front,
      text: named.get(point.name) === point ? point.label + extra(point) + (point.noisy ? '*' : '') : null,
      tip: tipOf(point, report.metric)}));
    scatter(panel, marks, {width: 860, height: 500, size: 14.5, stairs: true, budget: this.budget,
      metric: `${report.metric} (%)`, label: `${report.metric} against milliseconds, measured here`});
    panel.append(this.legend(points));
  }

  showPaper(panel) {
    const {task, metric, paper} = this.report, about = REPORT.paper;
    if (!paper.length) return;
    const tables = [...new Set(paper.map(row => row.table))].sort((a, b) => a - b);
    panel.append(make('h3', {class: 'paper'}, `${about.name}, on another machine`), make('p', {class: 'soft'},
      `${about.data[task]}, table${tables.length > 1 ? 's' : ''} ${tables.join(' and ')}, ${about.machine}`));
    const rows = paper.map(row => ({...row, median: row.ms}));
    const front = new Set(paretoFront(rows.filter(row => !row.distilled)));
    const marks = rows.map(row => ({...row, main: front.has(row), shape: 'paper', hollow: row.distilled,
      colour: front.has(row) || row.distilled ? COLOURS.paper : COLOURS.paperSoft, ink: COLOURS.paper,
      text: row.distilled ? row.model.split(' ').slice(1).join(' ') : row.model,
      tip: `${row.model}\n${metric} ${row.accuracy} %\n${row.ms} ms on the paper’s machine\ntable ${row.table}`}));
    marks.sort((a, b) => b.main - a.main || b.distilled - a.distilled || a.ms - b.ms);
    scatter(panel, marks, {width: 540, height: 500, size: 12.5, stairs: false, metric: `${metric} (%)`,
      label: `${metric} against milliseconds, as the paper prints them`});
    if (rows.some(row => row.distilled)) {
      panel.append(make('div', {class: 'legend'}, this.key('paper', COLOURS.paper, true, 'trained with a teacher')));
    }
  }

  showAnswer(points) {
    if (!this.answer) return;
    const fit = points.filter(point => point.median <= this.budget);
    fit.sort((a, b) => b.accuracy - a.accuracy || a.median - b.median);
    const best = fit[0];
    const choice = best ? [make('b', {}, best.name), ` on ${best.engine_name}, ${best.precision}: ` +
      `${best.accuracy.toFixed(1)} % in ${milliseconds(best.median)} ms${best.noisy ? ' (noisy)' : ''}`]
      : ['no model here is that quick'];
    this.answer.replaceChildren(...(this.budget > 0 ? choice : []));
  }

  showStrip(rest) {
    const several = new Set(rest.map(point => point.precision)).size > 1;
    const rows = new Map();
    for (const point of [...rest].sort((a, b) => a.median - b.median)) {
      const name = several ? `${point.name}, ${point.precision}` : point.name;
      if (!rows.has(name)) rows.set(name, {name, points: []});
      rows.get(name).points.push({...point, shape: point.engine, hollow: point.noisy,
        tip: tipOf(point, this.report.metric)});
    }
    const holder = make('div', {class: 'strip'}, make('h3', {}, 'Latency only: accuracy was not measured'));
    this.body.append(holder);
    strip(holder, [...rows.values()], 'milliseconds of models without accuracy');
    holder.append(this.legend(rest, false));
  }

  showTables(points, rest, front) {
    const {metric, paper} = this.report, all = this.everything.length;
    const holder = make('div', {class: 'tables'}, make('h3', {}, `${points.length + rest.length} of ${all} ` +
      'measurements; the front is blue'));
    holder.append(table([...points, ...rest], COLUMNS(metric), this.sort, new Set(front)));
    if ([...points, ...rest].some(point => point.noisy)) {
      holder.append(make('p', {class: 'soft'}, '* noisy: measure again on a quiet machine.'));
    }
    if (paper.length) {
      holder.append(make('details', {}, make('summary', {}, `What the paper prints (${paper.length} models)`),
        table(paper, PAPER_COLUMNS(metric), this.paperSort)));
    }
    this.body.append(holder);
  }

  legend(points, accurate = true) {
    const engines = new Map(points.map(point => [point.engine, point.engine_name]));
    const keys = [...engines].map(([engine, name]) => this.key(engine, COLOURS.ink, false, name));
    if (accurate) keys.push(this.key('eager', COLOURS.front, false, 'Pareto front'),
      this.key('eager', COLOURS.beaten, false, 'beaten'));
    if (points.some(point => point.noisy)) keys.push(this.key('eager', COLOURS.ink, true, '* noisy'));
    keys.push(make('span', {}, 'band: p10–p90, line: 95 % interval of the median'));
    return make('div', {class: 'legend'}, ...keys);
  }

  key(shape, colour, hollow, text) {
    const svg = canvas(16, 16, text);
    svg.setAttribute('class', '');
    svg.setAttribute('width', 16);
    svg.setAttribute('height', 16);
    mark(svg, shape, 8, 8, colour, hollow, 0.95);
    return make('span', {}, svg, text);
  }
}

function parts(key, value) {
  // An engine has the reason why it is absent; of a package there is the version.
  const none = key === 'engines' ? 'installed' : '–';
  return Object.entries(value).map(([name, what]) => `${name} ${what ?? none}`).join(', ');
}

function foot() {
  const holder = document.getElementById('foot');
  const add = (title, ...rest) => holder.append(make('h2', {}, title), ...rest);
  for (const machine of REPORT.machines) {
    const list = make('dl');
    for (const [key, value] of Object.entries(machine)) {
      const text = value === null || value === undefined ? '–' : Array.isArray(value) ? value.join(', ')
        : typeof value === 'object' ? parts(key, value) : `${value}`;
      if (key !== 'name' && text) list.append(make('dt', {}, key.replaceAll('_', ' ')), make('dd', {}, text));
    }
    add(`Measured on ${machine.name}`, list);
  }
  if (!REPORT.machines.length) add('Environment', make('p', {}, 'No input recorded the machine it was measured on.'));
  add('Read', make('p', {}, REPORT.sources.join(', ')));
  if (REPORT.remarks.length) add('Left out', ...REPORT.remarks.map(remark => make('p', {}, remark)));
}

document.getElementById('summary').textContent = REPORT.summary;
for (const report of REPORT.tasks) {
  new Task(report);
  document.getElementById('tasks').append(make('a', {href: `#${report.task}`}, capital(report.task)));
}
foot();
