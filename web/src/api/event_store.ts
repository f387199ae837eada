// Events on a page: the newest that pass a filter, and those that are told from then on.
import { signal, type ReadonlySignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { get, withQuery, type ApiError } from './client';
import { listen } from './live';
import type { EventLevel, LakeEvent } from './types';

export interface EventFilter {
  /** The least level that is wanted. */
  level?: EventLevel | '';
  type?: string;
  run_id?: string;
  pipeline?: string;
  node?: string;
  table?: string;
}

const kLevels: EventLevel[] = ['debug', 'info', 'warning', 'error'];
const kPage = 200;
/** More are not kept: the oldest go. */
const kEventsMax = 2_000;
/** Told events are shown together this often. */
const kShowMs = 150;

/** Whether the server would give `event` for `filter`. */
export function passes(event: LakeEvent, filter: EventFilter): boolean {
  const least = filter.level ? kLevels.indexOf(filter.level) : 0;
  return (
    kLevels.indexOf(event.level) >= least &&
    (!filter.type || event.type === filter.type) &&
    (!filter.run_id || event.run_id === filter.run_id) &&
    (!filter.pipeline || event.pipeline === filter.pipeline) &&
    (!filter.node || event.node === filter.node) &&
    (!filter.table || event.table_name === filter.table)
  );
}

function joined(one: LakeEvent[], other: LakeEvent[]): LakeEvent[] {
  const seen = new Set(one.map((event) => event.id));
  const all = [...one, ...other.filter((event) => !seen.has(event.id))];
  return all.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

/** The events of one filter, oldest first. */
export class EventStore {
  private readonly shown = signal<LakeEvent[]>([]);
  private readonly fault = signal<ApiError | null>(null);
  private readonly loaded = signal(false);
  private readonly more = signal(false);
  private told: LakeEvent[] = [];
  private timer = 0;
  private readonly abort = new AbortController();

  constructor(private readonly filter: EventFilter) {}

  get events(): ReadonlySignal<LakeEvent[]> {
    return this.shown;
  }
  get error(): ReadonlySignal<ApiError | null> {
    return this.fault;
  }
  get isLoaded(): ReadonlySignal<boolean> {
    return this.loaded;
  }
  /** Whether there may be older ones than those shown. */
  get hasOlder(): ReadonlySignal<boolean> {
    return this.more;
  }

  /** Fetches and follows; the answer ends both. */
  follow(): () => void {
    const stop = listen((told) => {
      if (told.kind === 'connected') void this.fetch();
      if (told.kind !== 'event' || !passes(told.event, this.filter)) return;
      this.told.push(told.event);
      if (this.timer === 0) this.timer = window.setTimeout(() => this.show(), kShowMs);
    });
    void this.fetch();
    return () => {
      stop();
      clearTimeout(this.timer);
      this.abort.abort();
    };
  }

  /** Puts the page before the oldest one in front. */
  async older(): Promise<void> {
    const oldest = this.shown.peek()[0];
    if (oldest) await this.fetch(oldest.time);
  }

  private show(): void {
    this.timer = 0;
    this.shown.value = joined(this.shown.peek(), this.told).slice(-kEventsMax);
    this.told = [];
  }

  private async fetch(until?: string): Promise<void> {
    const path = withQuery('/events', { ...this.filter, until, limit: kPage });
    try {
      const { events } = await get<{ events: LakeEvent[] }>(path, this.abort.signal);
      const all = joined(this.shown.peek(), events);
      const isFull = all.length >= kEventsMax;
      if (until !== undefined || !this.loaded.peek()) {
        this.more.value = events.length === kPage && !isFull;
      }
      this.shown.value = until === undefined ? all.slice(-kEventsMax) : all.slice(0, kEventsMax);
      this.fault.value = null;
    } catch (cause) {
      if (this.abort.signal.aborted) return;
      this.fault.value = cause as ApiError;
    }
    this.loaded.value = true;
  }
}

/** A store of `filter` that lives as long as the component. */
export function useEvents(filter: EventFilter): EventStore {
  const key = JSON.stringify(filter);
  const store = useMemo(() => new EventStore(filter), [key]);
  useEffect(() => store.follow(), [store]);
  return store;
}
