// The one connection that tells what happens. It is a fetch, not an EventSource: so beats
// are seen (a connection that went silent is given up), and a refusal has its status.
import { signal } from '@preact/signals';
import { API } from './client';
import { FrameReader, type Frame } from './frames';
import type { LakeEvent, Run } from './types';

/** "connecting" is the first try only; "resting" is a page that nobody looks at. */
export type Connection = 'connecting' | 'live' | 'lost' | 'resting';

export type Told =
  | { kind: 'event'; event: LakeEvent }
  | { kind: 'run'; run: Run }
  | { kind: 'pipelines' }
  /** The connection stands again: what was shown may be old. */
  | { kind: 'connected' };

export const connection = signal<Connection>('connecting');
/** What the server said to the last try, if it said anything. */
export const lostBecause = signal('');

const kRetryMsMin = 500;
const kRetryMsMax = 10_000;
/** The server beats each 15 s; two that are missing end the connection. */
const kSilenceMsMax = 35_000;
/** A hidden page gives its connection back: browsers have six to a server. */
const kHiddenMsMax = 60_000;

type Listener = (told: Told) => void;
const listeners = new Set<Listener>();
let lastId: string | null = null;
let current: AbortController | null = null;
let retryMs = kRetryMsMin;
let retryTimer = 0;
let hiddenTimer = 0;

/** Calls `listener` for all that is told from now on; the answer ends that. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function tell(told: Told): void {
  for (const listener of [...listeners]) listener(told);
}

function take(frame: Frame): void {
  if (frame.id !== null) lastId = frame.id;
  if (frame.kind === 'event') tell({ kind: 'event', event: JSON.parse(frame.data) as LakeEvent });
  else if (frame.kind === 'run') tell({ kind: 'run', run: JSON.parse(frame.data) as Run });
  else if (frame.kind === 'pipelines') tell({ kind: 'pipelines' });
}

/** The server is there and said no. */
class Refused extends Error {}

/** Returns when the server ends the stream. */
async function follow(abort: AbortController): Promise<void> {
  let silence = 0;
  const heard = () => {
    clearTimeout(silence);
    silence = window.setTimeout(() => abort.abort(), kSilenceMsMax);
  };
  try {
    heard();
    const answer = await fetch(`${API}/events/stream`, {
      signal: abort.signal,
      headers: {
        accept: 'text/event-stream',
        ...(lastId === null ? {} : { 'last-event-id': lastId }),
      },
      credentials: 'same-origin',
      cache: 'no-store',
    });
    if (!answer.ok || !answer.body) throw new Refused(`the server answers ${answer.status}`);
    connection.value = 'live';
    lostBecause.value = '';
    retryMs = kRetryMsMin;
    tell({ kind: 'connected' });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const frames = new FrameReader(take);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      frames.push(value);
    }
  } finally {
    clearTimeout(silence);
  }
}

/** Opens the connection unless there is one. */
export function connect(): void {
  clearTimeout(retryTimer);
  if (current) return;
  const abort = new AbortController();
  current = abort;
  const end = (cause: unknown) => {
    if (current !== abort) return;
    current = null;
    connection.value = 'lost';
    lostBecause.value = cause instanceof Refused ? cause.message : '';
    // Spread, so that all viewers of a server that restarts do not come at once.
    retryTimer = window.setTimeout(connect, retryMs * (0.7 + 0.6 * Math.random()));
    retryMs = Math.min(retryMs * 2, kRetryMsMax);
  };
  follow(abort).then(end, end);
}

/** Tries now, without waiting for the next time. */
export function reconnectNow(): void {
  retryMs = kRetryMsMin;
  connect();
}

function rest(): void {
  clearTimeout(retryTimer);
  current?.abort();
  current = null;
  connection.value = 'resting';
}

/** Connects, and rests while the page is hidden for long. */
export function start(): void {
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) hiddenTimer = window.setTimeout(rest, kHiddenMsMax);
    else connect();
  });
  window.addEventListener('online', reconnectNow);
  connect();
}
