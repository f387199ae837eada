// What is said aloud and what pops up: an aria-live region, and short notices.
import { signal } from '@preact/signals';
import { ApiError } from '../api/client';
import { Icon } from '../parts/icon';

const said = signal('');
const kSayMsMin = 1_500;
let saidAt = 0;
let sayTimer = 0;

/** Says `text` to screen readers, once those before it had time. */
export function announce(text: string): void {
  clearTimeout(sayTimer);
  const wait = Math.max(0, saidAt + kSayMsMin - performance.now());
  sayTimer = window.setTimeout(() => {
    saidAt = performance.now();
    said.value = text;
  }, wait);
}

interface Notice {
  id: number;
  kind: 'done' | 'fault';
  title: string;
  text: string;
}

const notices = signal<Notice[]>([]);
const kNoticesMax = 3;
const kDoneMs = 5_000;
let lastNotice = 0;

function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

function show(kind: Notice['kind'], title: string, text: string): void {
  const id = ++lastNotice;
  notices.value = [...notices.value, { id, kind, title, text }].slice(-kNoticesMax);
  // A fault stays until it was read.
  if (kind === 'done') setTimeout(() => dismiss(id), kDoneMs);
}

/** Shows that something was done. */
export function showDone(title: string): void {
  show('done', title, '');
}

/** Shows why something could not be done. */
export function showFault(cause: unknown): void {
  if (cause instanceof ApiError) show('fault', cause.title, cause.detail);
  else show('fault', 'This did not work', String(cause));
}

export function Notices() {
  return (
    <>
      <div class="visually-hidden" role="status" aria-live="polite">
        {said.value}
      </div>
      <div class="notices" role="alert">
        {notices.value.map((notice) => (
          <div key={notice.id} class={`notice notice-${notice.kind}`}>
            <Icon name={notice.kind === 'done' ? 'succeeded' : 'failed'} />
            <div>
              <strong>{notice.title}</strong>
              {notice.text && <p>{notice.text}</p>}
            </div>
            <button class="plain" aria-label="Dismiss" onClick={() => dismiss(notice.id)}>
              <Icon name="close" />
            </button>
          </div>
        ))}
      </div>
    </>
  );
}
