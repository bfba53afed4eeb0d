/**
 * @typedef {object} Series
 * @property {string} label
 * @property {readonly (readonly [x: number, y: number])[]} points
 * @property {keyof typeof colors} color
 * @property {Marker} [marker] drawn at every point; none by default
 * @property {boolean} [dashed]
 *
 * @typedef {'circle' | 'square' | 'diamond' | 'triangle' | 'ring' | 'cross'} Marker
 *
 * @typedef {object} Axis
 * @property {string} label
 * @property {readonly number[]} ticks
 * @property {readonly [first: number, last: number]} [range] by default from the first tick to the last
 * @property {boolean} [log] logarithmic; if a series contains 0, it gets a separate line at the bottom
 *
 * @typedef {{ x: Axis, y: Axis, series: readonly Series[] }} Panel
 */

// Readable on both white and black pages.
const ink = '#7a818a';
const colors = { blue: '#2f81f7', orange: '#d4721a', green: '#2e9d57', purple: '#a36be0', red: '#e0524a', gray: ink };

const top = 44;
const bottom = 44;
const left = 60;
const right = 22;
const zeroLaneHeight = 24;
const legendRow = 18;
const letter = 6.6;

/**
 * Draws panels side by side, each with its axes and its legend, for light and dark pages.
 * @param {string} title for screen readers
 * @param {readonly Panel[]} panels
 * @param {{ width?: number, height?: number }} [size]
 * @returns {string} SVG
 */
export function plot(title, panels, { width = 720, height = 280 } = {}) {
  const each = width / panels.length;
  const rows = Math.max(...panels.map(({ series }) => legendOf(series, each - left).rows));
  const extra = (rows - 1) * legendRow;
  const drawn = panels.map((panel, i) =>
    panelSvg(panel, i, { x: i * each, width: each, height: height + extra, extra }),
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + extra}" width="${width}" height="${height + extra}"`,
    ` font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="${ink}" role="img">`,
    `\n<title>${escaped(title)}</title>`,
  ].join('')}\n${drawn.join('\n')}\n</svg>\n`;
}

/**
 * @param {Panel} panel
 * @param {number} index
 * @param {{ x: number, width: number, height: number, extra: number }} box
 */
function panelSvg({ x, y, series }, index, box) {
  const [start, end] = [box.x + left, box.x + box.width - right];
  const [high, low] = [top + box.extra, box.height - bottom];
  const hasZero = y.log === true && series.some(({ points }) => points.some(([, value]) => value === 0));
  const toX = scale(x, start, end);
  const toLevel = scale(y, low - (hasZero ? zeroLaneHeight : 0), high);
  const toY = (/** @type {number} */ value) => (hasZero && value === 0 ? low : toLevel(value));
  const yTicks = hasZero ? [0, ...y.ticks] : y.ticks;

  const grid = yTicks.map((tick) => `M${round(start)} ${round(toY(tick))}H${round(end)}`).join('');
  const parts = [
    `<path d="${grid}" stroke="${ink}" stroke-opacity="0.25"/>`,
    `<path d="M${round(start)} ${high}V${low}H${round(end)}" stroke="${ink}" fill="none"/>`,
    ...yTicks.map((tick) => text(tick, start - 7, toY(tick) + 4, 'end')),
    ...x.ticks.map((tick) => text(tick, toX(tick), low + 17, 'middle')),
    text(x.label, (start + end) / 2, low + 36, 'middle'),
    text(y.label, box.x + 13, (high + low) / 2, 'middle', `transform="rotate(-90 ${box.x + 13} ${(high + low) / 2})"`),
    // Clips values that are above the range.
    `<clipPath id="c${index}"><rect x="${round(start - 8)}" y="${high - 8}" width="${round(end - start + 16)}" height="${low - high + 16}"/></clipPath>`,
    `<g clip-path="url(#c${index})">`,
    ...series.map((item) => seriesSvg(item, toX, toY)),
    '</g>',
    ...legendOf(series, box.width - left).entries.map(({ item, dx, row }) =>
      legendSvg(item, start + dx, 18 + row * legendRow),
    ),
  ];
  return parts.join('\n');
}

/**
 * @param {Axis} axis
 * @param {number} from
 * @param {number} to
 * @returns {(value: number) => number}
 */
function scale({ ticks, range = [ticks[0], ticks[ticks.length - 1]], log = false }, from, to) {
  const f = log ? Math.log : (/** @type {number} */ value) => value;
  const [first, last] = [f(range[0]), f(range[1])];
  return (value) => from + ((f(value) - first) / (last - first)) * (to - from);
}

/**
 * @param {Series} series
 * @param {(value: number) => number} toX
 * @param {(value: number) => number} toY
 */
function seriesSvg({ points, color, marker, dashed = false }, toX, toY) {
  const positions = points.map(([x, y]) => [toX(x), toY(y)]);
  return line(positions, color, dashed) + markers(positions, color, marker);
}

/**
 * @param {readonly number[][]} positions
 * @param {keyof typeof colors} color
 * @param {boolean} dashed
 */
function line(positions, color, dashed) {
  const d = positions.map(([x, y]) => `${round(x)} ${round(y)}`).join('L');
  return `<path d="M${d}" fill="none" stroke="${colors[color]}" stroke-width="1.7"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`;
}

/** @type {Record<Marker, string>} SVG paths relative to the point */
const shapes = {
  circle: 'm-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z',
  ring: 'm-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z',
  cross: 'm-4.5-4.5l9 9m0-9l-9 9',
  square: 'm-3.3-3.3h6.6v6.6h-6.6z',
  diamond: 'm0-5l5 5l-5 5l-5-5z',
  triangle: 'm0-4.8l4.6 8h-9.2z',
};

/**
 * @param {readonly number[][]} positions
 * @param {keyof typeof colors} color
 * @param {Marker} [marker]
 */
function markers(positions, color, marker) {
  if (marker === undefined) return '';
  const d = positions.map(([x, y]) => `M${round(x)} ${round(y)}${shapes[marker]}`).join('');
  const open = marker === 'ring' || marker === 'cross';
  const paint = open ? `fill="none" stroke="${colors[color]}" stroke-width="1.5"` : `fill="${colors[color]}"`;
  return `<path d="${d}" ${paint}/>`;
}

/**
 * @param {readonly Series[]} series
 * @param {number} width
 */
function legendOf(series, width) {
  let [dx, row] = [0, 0];
  const entries = series.map((item) => {
    const size = 34 + item.label.length * letter + 14;
    if (dx > 0 && dx + size > width) [dx, row] = [0, row + 1];
    const entry = { item, dx, row };
    dx += size;
    return entry;
  });
  return { entries, rows: row + 1 };
}

/**
 * @param {Series} series
 * @param {number} x
 * @param {number} y
 */
function legendSvg({ label, color, marker, dashed = false }, x, y) {
  const stroke = line(
    [
      [x, y],
      [x + 26, y],
    ],
    color,
    dashed,
  );
  return `${stroke}${markers([[x + 13, y]], color, marker)}${text(label, x + 33, y + 4, 'start')}`;
}

/**
 * @param {string | number} content
 * @param {number} x
 * @param {number} y
 * @param {'start' | 'middle' | 'end'} anchor
 * @param {string} [attributes]
 */
function text(content, x, y, anchor, attributes = '') {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${attributes && ` ${attributes}`}>${escaped(String(content))}</text>`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}

/** @param {string} content */
function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
