// Numbers, durations and instants as people read them.
import type { Instant } from '../api/types';

const kCount = new Intl.NumberFormat();
const kClock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const kDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const kDayWithYear = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});

export const kZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function count(number: number): string {
  return kCount.format(number);
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** "0.8 s", "12 s", "3 min 05 s", "2 h 10 min", "4 d 3 h". */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (number: number) => String(number).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** Roughly, with one unit: "12 s", "5 min", "3 h", "6 d". */
export function span(ms: number): string {
  const seconds = Math.abs(ms) / 1000;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** "14:03:09" in the viewer's zone. */
export function clock(ms: number): string {
  return kClock.format(ms);
}

function isSameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

/** The clock, with the day if it is not that of `now`. */
export function dayAndClock(ms: number, now: number): string {
  const at = new Date(ms);
  const today = new Date(now);
  if (isSameDay(at, today)) return clock(ms);
  const day = at.getFullYear() === today.getFullYear() ? kDay : kDayWithYear;
  return `${day.format(at)}, ${clock(ms)}`;
}

/** The viewer's clock and the UTC instant, for titles. */
export function fullTitle(instant: Instant): string {
  const ms = Date.parse(instant);
  return `${kDayWithYear.format(ms)}, ${clock(ms)} ${kZone} (${instant.replace(/\.\d+Z$/, 'Z')} UTC)`;
}
