// Instants and durations that go on: all read one of two clocks, so that a page full of
// them costs one timer.
import { signal } from '@preact/signals';
import { serverAheadMs } from '../api/resource';
import type { Instant } from '../api/types';
import { dayAndClock, duration, fullTitle, span } from './format';

const seconds = signal(Date.now());
const minutes = signal(Date.now());
const kMinuteMs = 15_000; // fine enough for what is shown in minutes

setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  seconds.value = now;
  if (now - minutes.peek() >= kMinuteMs) minutes.value = now;
}, 1_000);

/** The server's clock, in milliseconds, as it is each second. */
export function nowMs(): number {
  return seconds.value + serverAheadMs.value;
}

/** The same, but told anew only as often as the distance to `ms` needs. */
function nowBeside(ms: number): number {
  const rough = minutes.peek() + serverAheadMs.value;
  return Math.abs(rough - ms) < 90_000 ? nowMs() : minutes.value + serverAheadMs.value;
}

interface TimeProps {
  at: Instant | null;
  /** "relative": 3 min ago; "clock": the viewer's wall clock. */
  as?: 'relative' | 'clock';
}

/** An instant in the viewer's zone; its title has the UTC one. */
export function Time({ at, as = 'relative' }: TimeProps) {
  if (at === null) return <span class="faint">–</span>;
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={fullTitle(at)}>
      {as === 'clock' ? dayAndClock(ms, minutes.value) : relative(ms)}
    </time>
  );
}

function relative(ms: number): string {
  const distance = ms - nowBeside(ms);
  if (Math.abs(distance) < 1_500) return 'now';
  return distance > 0 ? `in ${span(distance)}` : `${span(distance)} ago`;
}

/** How long it took, or takes until now. */
export function Duration({ from, to }: { from: Instant | null; to: Instant | null }) {
  if (from === null) return <span class="faint">–</span>;
  const end = to === null ? nowMs() : Date.parse(to);
  const ms = end - Date.parse(from);
  return <span class="number">{to === null ? span(Math.max(0, ms)) : duration(ms)}</span>;
}
