// Charts by Chart.js, each with its numbers in a table: for screen readers, and where a browser can't
// draw. Colours come from the theme.
import { h } from './dom.js';
import { table } from './parts.js';
import { t } from './words.js';

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dashes = [[], [6, 3], [2, 3], [8, 3, 2, 3], [1, 2]]; // tells lines apart without their colours

function common(kind, signal_ink, line) {
  return {
    responsive: true, maintainAspectRatio: false, animation: false, normalized: true,
    interaction: { mode: 'index', intersect: false },
    plugins: {
      legend: { position: 'bottom', labels: { color: signal_ink, boxWidth: kind === 'bar' ? 12 : 24, boxHeight: kind === 'bar' ? 12 : 2, font: { size: 12 } } },
      tooltip: { backgroundColor: style('--ink'), titleColor: style('--panel'), bodyColor: style('--panel') },
    },
    scales: {
      x: { ticks: { color: signal_ink, maxRotation: 0, autoSkipPadding: 16 }, grid: { display: false }, border: { color: line } },
      y: { beginAtZero: true, ticks: { color: signal_ink, precision: 0, maxTicksLimit: 6 }, grid: { color: line } },
    },
  };
}

// series: [{name, colour: '--red', values, axis: 'y'|'y2', line: true among bars}]; `most`: where the scale ends;
// `numbers`: a table in place of the usual one
export function chart({ kind = 'line', title, labels, series, stacked, across, most, numbers: told, signal }) {
  const canvas = h('canvas', { role: 'img', 'aria-label': `${title}. ${t('chart_table_below')}` });
  const box = h('div.chart', canvas);
  const numbers = h('details.numbers', h('summary', t('as_table')),
    told ?? table([{ title: '', cell: (i) => labels[i] }, ...series.map((s) => ({ title: s.name, class: 'right', cell: (i) => s.values[i] }))],
      labels.map((_, i) => i), { caption: title }));
  // Once it stands in the page and has a size.
  requestAnimationFrame(() => {
    if (!window.Chart || !canvas.isConnected) {
      box.hidden = true;
      numbers.open = true;
      return;
    }
    const options = common(kind, style('--soft'), style('--line'));
    if (across) options.indexAxis = 'y';
    if (most) options.scales.y.max = most;
    if (stacked) options.scales.x.stacked = options.scales.y.stacked = true;
    if (across) [options.scales.x.grid, options.scales.y.grid] = [{ color: style('--line') }, { display: false }];
    if (series.length === 1) options.plugins.legend.display = false;
    if (series.some((s) => s.axis === 'y2'))
      options.scales.y2 = { position: 'right', beginAtZero: true, ticks: { color: style('--soft'), maxTicksLimit: 6, precision: 0 }, grid: { display: false } };
    const drawn = new window.Chart(canvas, {
      type: kind, options,
      data: {
        labels,
        datasets: series.map((s, i) => {
          const bar = kind === 'bar' && !s.line;
          return {
            type: s.line ? 'line' : undefined, label: s.name, data: s.values, yAxisID: across ? undefined : s.axis ?? 'y', borderColor: style(bar ? '--panel' : s.colour), backgroundColor: bar ? style(s.colour) : 'transparent',
            borderWidth: bar ? { top: 1 } : 2, borderDash: bar ? [] : dashes[i % dashes.length], pointRadius: 0, pointHitRadius: 12, tension: 0.25, maxBarThickness: 18,
          };
        }),
      },
    });
    signal?.addEventListener('abort', () => drawn.destroy());
  });
  return h('figure.figure', h('figcaption', h('h3', title)), box, numbers);
}
