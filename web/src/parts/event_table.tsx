// Events as the lines of a log; what else one tells opens below it.
import { useState } from 'preact/hooks';
import type { LakeEvent } from '../api/types';
import { pipelinePath, runPath } from './actions';
import { Icon } from './icon';
import { toneOf } from './status';
import { Time } from './time';

interface EventTableProps {
  events: LakeEvent[];
  caption: string;
  /** Leaves out what all events of the page share. */
  without?: 'run' | 'pipeline';
}

function Subject({ event, without }: { event: LakeEvent } & Pick<EventTableProps, 'without'>) {
  const words = [];
  if (event.pipeline && !without) {
    words.push(
      <a key="pipeline" href={pipelinePath(event.pipeline)}>
        {event.pipeline}
      </a>,
    );
  }
  if (event.node) words.push(<span key="node">{event.node}</span>);
  return words.length === 2 ? [words[0], <span class="faint"> / </span>, words[1]] : words;
}

function Details({ event, without }: { event: LakeEvent } & Pick<EventTableProps, 'without'>) {
  const facts: [string, string | number | null][] = [
    ['Table', event.table_name],
    ['Version', event.version],
    ['Batch', event.batch],
    ['Id', event.id],
    ['Instant', event.time],
  ];
  const details = event.details && Object.keys(event.details).length > 0 ? event.details : null;
  return (
    <div class="event-details">
      <dl>
        {event.run_id && without !== 'run' && (
          <div>
            <dt>Run</dt>
            <dd class="mono">
              <a href={runPath(event.run_id)}>{event.run_id}</a>
            </dd>
          </div>
        )}
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="mono">{value}</dd>
              </div>
            ),
        )}
      </dl>
      {details && <pre>{JSON.stringify(details, null, 2)}</pre>}
    </div>
  );
}

function EventRow({ event, without }: { event: LakeEvent } & Pick<EventTableProps, 'without'>) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <tr class={`event event-${event.level}`} data-event={event.type}>
        <td class="event-time">
          <Time at={event.time} as="clock" />
        </td>
        <td class={`event-level tone-${toneOf(event.level)}`}>
          <Icon name={event.level} />
          <span class="visually-hidden">{event.level}</span>
        </td>
        <td class="event-type">{event.type}</td>
        <td class="event-subject">
          <Subject event={event} without={without} />
        </td>
        <td class="event-message">{event.message}</td>
        <td class="event-more">
          <button
            class="bare"
            aria-expanded={isOpen}
            aria-label={`Details of ${event.type}`}
            onClick={() => setOpen(!isOpen)}
          >
            <Icon name={isOpen ? 'down' : 'right'} />
          </button>
        </td>
      </tr>
      {isOpen && (
        <tr class="event-open">
          <td colSpan={6}>
            <Details event={event} without={without} />
          </td>
        </tr>
      )}
    </>
  );
}

export function EventTable({ events, caption, without }: EventTableProps) {
  return (
    <div class="table-scroll">
      <table class="rows events">
        <caption class="visually-hidden">{caption}</caption>
        <thead class="visually-hidden">
          <tr>
            {['Time', 'Level', 'Type', 'Subject', 'Message', 'Details'].map((word) => (
              <th key={word} scope="col">
                {word}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <EventRow key={event.id} event={event} without={without} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
