// Numbers, times and durations as people read them. Times are China's, as the gateway's days are.
import { locale } from './words.js';

const zone = 'Asia/Shanghai';
const parts = new Intl.DateTimeFormat('en-CA', {
  timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit',
  hour: '2-digit', minute: '2-digit', second: '2-digit',
});

function split(ms) {
  const p = {};
  for (const { type, value } of parts.formatToParts(ms)) p[type] = value;
  return p;
}

// Microseconds, or a time as the log writes it, to milliseconds.
export function ms_of(when) {
  return typeof when === 'string' ? Date.parse(when) : when / 1000;
}

const known = (when) => when !== null && when !== undefined && when !== 0 && Number.isFinite(ms_of(when));

// 11-26 21:03:05, with the year where it is another one.
export function time(when) {
  if (!known(when)) return '–';
  const p = split(ms_of(when));
  const year = p.year === split(Date.now()).year ? '' : `${p.year}-`;
  return `${year}${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}

export function full_time(when) {
  if (!known(when)) return '–';
  const ms = ms_of(when);
  const p = split(ms);
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}.${String(Math.floor(ms % 1000)).padStart(3, '0')}`;
}

export function short_time(when, step_us) {
  const p = split(ms_of(when));
  return step_us >= 86400e6 ? `${p.month}-${p.day}` : `${p.month}-${p.day} ${p.hour}:${p.minute}`;
}

export function day(when) {
  const p = split(ms_of(when));
  return `${p.year}-${p.month}-${p.day}`;
}

// A day in China, as its first microsecond.
export const day_start = (text) => Date.parse(`${text}T00:00:00+08:00`) * 1000;
export const day_before = (text, n = 1) => day(day_start(text) - n * 86400e6);

// For <input type=datetime-local>, in China's time.
export const to_local = (us) => (us ? new Date(us / 1000 + 8 * 3600e3).toISOString().slice(0, 16) : '');
export const from_local = (text) => (text ? Date.parse(`${text}:00+08:00`) * 1000 : null);

export function duration(us) {
  if (us === null || us === undefined) return '–';
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 10e3) return `${(us / 1e3).toFixed(1)} ms`;
  if (us < 1e6) return `${Math.round(us / 1e3)} ms`;
  if (us < 120e6) return `${(us / 1e6).toFixed(us < 10e6 ? 2 : 0)} s`;
  if (us < 7200e6) return `${Math.round(us / 60e6)} min`;
  if (us < 172800e6) return `${Math.round(us / 3600e6)} h`;
  return `${Math.round(us / 86400e6)} d`;
}

export const number = (n) => (n === null || n === undefined ? '–' : n.toLocaleString(locale()));
export const percent = (part, whole, digits = 1) => (whole ? `${((100 * part) / whole).toFixed(digits)}%` : '–');
export const bytes = (n) => (n === null || n === undefined ? '–' : n < 10240 ? `${n} B` : `${(n / 1024).toFixed(0)} KiB`);
