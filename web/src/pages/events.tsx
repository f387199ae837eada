// What was told in the project: search, filter, follow.
import { useRef, useState } from 'preact/hooks';
import { useEvents, type EventFilter } from '../api/event_store';
import type { EventLevel, LakeEvent } from '../api/types';
import { EventTable } from '../parts/event_table';
import { plural } from '../parts/format';
import { Icon } from '../parts/icon';
import { Empty, Fault, Panel } from '../parts/panel';
import type { PageProps } from '../shell/pages';
import { setQuery } from '../shell/router';

const kLevels: [EventLevel | '', string][] = [
  ['', 'All'],
  ['info', 'Info and above'],
  ['warning', 'Warnings and errors'],
  ['error', 'Errors'],
];
const kKnownTypes = [
  'run_started',
  'run_succeeded',
  'run_failed',
  'run_cancelled',
  'node_succeeded',
  'node_failed',
  'table_committed',
  'schema_changed',
  'expectation_failed',
  'rows_quarantined',
  'retry',
];
/** Rows of the page; more come when they are asked for. */
const kShown = 300;

function holds(event: LakeEvent, words: string): boolean {
  if (words === '') return true;
  const text = [
    event.message,
    event.type,
    event.pipeline,
    event.node,
    event.table_name,
    event.run_id,
  ];
  return text.join('\n').toLowerCase().includes(words);
}

function Filters({ query, types }: { query: URLSearchParams; types: string[] }) {
  const field = (name: string, label: string, list?: string) => (
    <label>
      <span>{label}</span>
      <input
        type="text"
        list={list}
        value={query.get(name) ?? ''}
        onChange={(change) => setQuery({ [name]: change.currentTarget.value.trim() })}
      />
    </label>
  );
  return (
    <form
      class="filters in-panel"
      role="search"
      aria-label="Filter events"
      onSubmit={(e) => e.preventDefault()}
    >
      <label class="search">
        <Icon name="search" />
        <span class="visually-hidden">Search in what is shown</span>
        <input
          type="search"
          placeholder="Search in what is shown"
          value={query.get('q') ?? ''}
          onInput={(input) => setQuery({ q: input.currentTarget.value })}
        />
      </label>
      <label>
        <span>Level</span>
        <select
          value={query.get('level') ?? ''}
          onChange={(change) => setQuery({ level: change.currentTarget.value })}
        >
          {kLevels.map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
      </label>
      {field('type', 'Type', 'event-types')}
      <datalist id="event-types">
        {types.map((type) => (
          <option key={type} value={type} />
        ))}
      </datalist>
      {field('pipeline', 'Pipeline')}
      {field('node', 'Node')}
      {field('table', 'Table')}
      {field('run', 'Run')}
    </form>
  );
}

function filterOf(query: URLSearchParams): EventFilter {
  const level = query.get('level') ?? '';
  return {
    level: kLevels.some(([known]) => known === level) ? (level as EventLevel | '') : '',
    type: query.get('type') ?? '',
    run_id: query.get('run') ?? '',
    pipeline: query.get('pipeline') ?? '',
    node: query.get('node') ?? '',
    table: query.get('table') ?? '',
  };
}

export default function EventsPage({ query }: PageProps) {
  const store = useEvents(filterOf(query));
  const [isFollowing, setFollowing] = useState(true);
  const [shownMax, setShownMax] = useState(kShown);
  const frozen = useRef<LakeEvent[]>([]);
  const all = store.events.value;
  // Held is what was there, unless that is of another filter.
  const last = frozen.current.at(-1);
  if (isFollowing || !last || !all.includes(last)) frozen.current = all;
  const shown = frozen.current;
  const newer = all.length - shown.length;
  const words = (query.get('q') ?? '').toLowerCase();
  const found = shown.filter((event) => holds(event, words));
  const rows = found.slice(-shownMax).reverse();
  const types = [...new Set([...kKnownTypes, ...all.map((event) => event.type)])].sort();
  const error = store.error.value;
  return (
    <>
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>Events</h1>
          <p class="page-sub" data-testid="event-count">
            {plural(found.length, 'event')}, newest first
          </p>
        </div>
        <div class="page-actions">
          {newer > 0 && !isFollowing && (
            <button onClick={() => setFollowing(true)}>Show {plural(newer, 'new event')}</button>
          )}
          <button aria-pressed={isFollowing} onClick={() => setFollowing(!isFollowing)}>
            <Icon name={isFollowing ? 'paused' : 'play'} />
            {isFollowing ? 'Following' : 'Follow'}
          </button>
        </div>
      </div>
      {error && <Fault title={error.title} text={error.detail} />}
      <Panel label="Log">
        <Filters query={query} types={types} />
        {rows.length === 0 ? (
          <Empty>{store.isLoaded.value ? 'No event is like that.' : 'Loading…'}</Empty>
        ) : (
          <EventTable events={rows} caption="Events, newest first" />
        )}
        {(found.length > rows.length || store.hasOlder.value) && (
          <div class="panel-foot">
            <button
              onClick={() => {
                setShownMax(shownMax + kShown);
                if (found.length <= shownMax + kShown) void store.older();
              }}
            >
              Show older events
            </button>
          </div>
        )}
      </Panel>
    </>
  );
}
