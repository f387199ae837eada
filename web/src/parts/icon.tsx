// Icons of our own, 16 × 16, drawn with the text's colour. Each state has a shape of its
// own, so that none is told by colour alone.
import type { JSX } from 'preact';

const kStroke = { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 } as const;
const kRound = { ...kStroke, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' } as const;

function line(d: string): JSX.Element {
  return <path d={d} {...kRound} />;
}

function disc(mark: string): JSX.Element {
  return (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path d={mark} {...kRound} stroke="var(--surface)" />
    </>
  );
}

const kIcons = {
  // states
  succeeded: disc('M4.8 8.3 7 10.4l4.2-4.6'),
  failed: (
    <>
      <path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" fill="currentColor" />
      <path d="m5.5 5.5 5 5m0-5-5 5" {...kRound} stroke="var(--surface)" />
    </>
  ),
  running: (
    <>
      <circle cx="8" cy="8" r="6.2" {...kStroke} opacity=".3" />
      <path class="spin" d="M8 1.8A6.2 6.2 0 0 1 14.2 8" {...kRound} stroke-width="2" />
    </>
  ),
  queued: (
    <>
      <circle cx="8" cy="8" r="6.2" {...kStroke} />
      {line('M8 4.6V8l2.3 1.5')}
    </>
  ),
  waiting_to_retry: line('M13.6 8A5.6 5.6 0 1 1 11.7 3.8L13.6 5.5M13.6 2v3.5h-3.5'),
  cancelled: (
    <>
      <circle cx="8" cy="8" r="6.2" {...kStroke} />
      {line('M3.8 12.2 12.2 3.8')}
    </>
  ),
  interrupted: line('M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z'),
  blocked: line('M2.5 8h11M4.5 4.5v7m7-7v7'),
  skipped: line('m3 4 4 4-4 4m5.5-8 4 4-4 4'),
  idle: <circle cx="8" cy="8" r="6.2" {...kStroke} stroke-dasharray="2.4 2.5" />,
  paused: line('M5.5 3.5v9m5-9v9'),
  invalid: (
    <>
      {line('M8 2 15 14H1z')}
      {line('M8 6.5v3.2m0 2v.1')}
    </>
  ),
  none: line('M5 8h6'),
  // pages
  overview: line('M2 2.5h5v6H2zm0 9h5v2H2zm7-9h5v2H9zm0 5h5v6H9z'),
  graph: (
    <>
      {line('M5.5 4H8v8h2.5M5.5 12H8')}
      <rect x="1.5" y="2.2" width="4" height="3.6" rx="1" {...kStroke} />
      <rect x="1.5" y="10.2" width="4" height="3.6" rx="1" {...kStroke} />
      <rect x="10.5" y="10.2" width="4" height="3.6" rx="1" {...kStroke} />
    </>
  ),
  runs: line('M2 3.5h6M5 8h6m-3 4.5h6'),
  events: line('M2 3.2h.1M5 3.2h9M2 8h.1M5 8h9M2 12.8h.1M5 12.8h6'),
  // actions
  play: <path d="M4.5 2.5v11l9-5.5z" fill="currentColor" />,
  resume: (
    <>
      {line('M3.5 3v10')}
      <path d="M7 3v10l7-5z" fill="currentColor" />
    </>
  ),
  stop: <rect x="3.5" y="3.5" width="9" height="9" rx="1.5" fill="currentColor" />,
  retry: line('M13.6 8A5.6 5.6 0 1 1 11.7 3.8L13.6 5.5M13.6 2v3.5h-3.5'),
  close: line('m4 4 8 8m0-8-8 8'),
  search: (
    <>
      <circle cx="7" cy="7" r="4.6" {...kStroke} />
      {line('m10.5 10.5 3.5 3.5')}
    </>
  ),
  plus: line('M8 3v10M3 8h10'),
  minus: line('M3 8h10'),
  fit: line('M2 6V2h4m4 0h4v4m0 4v4h-4M6 14H2v-4'),
  right: line('m6 3.5 4.5 4.5L6 12.5'),
  down: line('m3.5 6 4.5 4.5L12.5 6'),
  table: line('M2 3h12v10H2zm0 3.5h12M6.5 6.5V13'),
  // theme
  sun: (
    <>
      <circle cx="8" cy="8" r="3" {...kStroke} />
      {line('M8 1v1.4m0 11.2V15M1 8h1.4m11.2 0H15M3 3l1 1m8 8 1 1M3 13l1-1m8-8 1-1')}
    </>
  ),
  moon: line('M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z'),
  system: line('M2 3h12v8H2zm4 11h4m-2-3v3'),
  // levels of events
  debug: <circle cx="8" cy="8" r="2" fill="currentColor" />,
  info: <circle cx="8" cy="8" r="4" {...kStroke} />,
  warning: (
    <>
      {line('M8 2 15 14H1z')}
      {line('M8 6.5v3.2m0 2v.1')}
    </>
  ),
  error: (
    <>
      <path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" fill="currentColor" />
      <path d="m5.5 5.5 5 5m0-5-5 5" {...kRound} stroke="var(--surface)" />
    </>
  ),
} as const;

export type IconName = keyof typeof kIcons;

export function isIcon(name: string): name is IconName {
  return name in kIcons;
}

/** Drawn for the eye only; the word beside it says the same. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {kIcons[name]}
    </svg>
  );
}
