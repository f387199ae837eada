// A piece of the API's answers on a page: fetched, kept while it is fetched again, and
// fetched again when something told says that it is old.
import { signal, useSignal, type ReadonlySignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get, type ApiError } from './client';
import { listen, type Told } from './live';

export interface Resource<T> {
  data: T | null;
  /** Of the newest try; data may be there still. */
  error: ApiError | null;
  /** Puts what an action answered in the place of what was fetched. */
  put(data: T): void;
}

/** Between two fetches that were not asked for by a person. */
const kAgainMsMin = 1_000;
/** Waits for more of the same: runs end in bursts. */
const kAgainMsDelay = 120;
/** What is told in this time is shown together. */
const kShowMs = 100;

/** After an answer that says the server is in trouble. */
const kAfterFaultMs = 5_000;

const lastAnswers = new Map<string, unknown>();
const kLastAnswersMax = 20;

function remember(path: string, data: unknown): void {
  lastAnswers.delete(path);
  lastAnswers.set(path, data);
  for (const oldest of lastAnswers.keys()) {
    if (lastAnswers.size <= kLastAnswersMax) break;
    lastAnswers.delete(oldest);
  }
}

interface Held<T> {
  path: string | null;
  data: T | null;
  error: ApiError | null;
}

/**
 * The answer of GET `path` (null: nothing is asked for). `isOld` says whether what was
 * told makes it old; reconnecting always does. `apply` changes what is shown at once.
 */
export function useResource<T>(
  path: string | null,
  isOld: (told: Told) => boolean,
  apply?: (data: T, told: Told) => T,
): Resource<T> {
  const held = useSignal<Held<T>>({ path: null, data: null, error: null });
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    let timer = 0;
    let isAsking = false;
    let isAskedAgain = false;
    let asked = 0;
    let pending: Told[] = [];
    let showTimer = 0;
    if (held.peek().path !== path) {
      held.value = { path, data: (lastAnswers.get(path) as T | undefined) ?? null, error: null };
    }
    const show = () => {
      showTimer = 0;
      const { data, error } = held.peek();
      const changed = data !== null && apply ? pending.reduce(apply, data) : data;
      pending = [];
      if (changed !== data) held.value = { path, data: changed, error };
    };
    const ask = async () => {
      if (isAsking) {
        isAskedAgain = true;
        return;
      }
      isAsking = true;
      asked = performance.now();
      try {
        const data = await get<T>(path, abort.signal);
        remember(path, data);
        held.value = { path, data, error: null };
      } catch (cause) {
        if (abort.signal.aborted) return;
        const error = cause as ApiError;
        held.value = { ...held.peek(), path, error };
        if (error.status >= 500) timer = window.setTimeout(() => void ask(), kAfterFaultMs);
      } finally {
        isAsking = false;
        if (isAskedAgain && !abort.signal.aborted) later();
      }
    };
    const later = () => {
      isAskedAgain = false;
      clearTimeout(timer);
      const wait = Math.max(kAgainMsDelay, asked + kAgainMsMin - performance.now());
      timer = window.setTimeout(() => void ask(), wait);
    };
    const stop = listen((told) => {
      if (told.kind === 'connected') {
        void ask();
        return;
      }
      if (apply) {
        pending.push(told);
        if (showTimer === 0) showTimer = window.setTimeout(show, kShowMs);
      }
      if (isOld(told)) {
        if (isAsking) isAskedAgain = true;
        else later();
      }
    });
    void ask();
    return () => {
      stop();
      clearTimeout(timer);
      clearTimeout(showTimer);
      abort.abort();
    };
  }, [path]);
  const { value } = held;
  const isOfPath = value.path === path;
  return {
    data: isOfPath ? value.data : null,
    error: isOfPath ? value.error : null,
    put: (data: T) => (held.value = { path, data, error: null }),
  };
}

const serverAhead = signal(0);

/** How far the server's clock is ahead of this machine's, in milliseconds. */
export const serverAheadMs: ReadonlySignal<number> = serverAhead;

/** Learns it from an answer's `now`; small differences are the way's. */
export function learnServerTime(now: string): void {
  const ahead = Date.parse(now) - Date.now();
  serverAhead.value = Math.abs(ahead) > 2_000 ? ahead : 0;
}
