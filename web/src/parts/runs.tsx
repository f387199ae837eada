// Runs as a table, and a pipeline's last ones as bars.
import type { Run } from '../api/types';
import { pipelinePath, runPath } from './actions';
import { dayAndClock, duration } from './format';
import { RunStatus, stateOf, toneOf, wordOf } from './status';
import { Duration, Time } from './time';

/** A run is replaced by what was told of it; a new one stands first. */
export function withRun(
  runs: Run[],
  told: Run,
  isWanted: (run: Run) => boolean,
  max: number,
): Run[] {
  const index = runs.findIndex((run) => run.run_id === told.run_id);
  if (index >= 0) {
    const changed = [...runs];
    changed[index] = told;
    return changed;
  }
  return isWanted(told) ? [told, ...runs].slice(0, max) : runs;
}

export function RunTable({ runs, of }: { runs: Run[]; of?: string }) {
  return (
    <div class="table-scroll">
      <table class="rows">
        <caption class="visually-hidden">{of ? `Runs of ${of}` : 'Runs'}, newest first</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            {!of && <th scope="col">Pipeline</th>}
            <th scope="col">Asked for</th>
            <th scope="col" class="right">
              Duration
            </th>
            <th scope="col">Why</th>
            <th scope="col" class="right">
              Attempt
            </th>
            <th scope="col">Run</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.run_id} data-run={run.run_id}>
              <td>
                <RunStatus run={run} />
              </td>
              {!of && (
                <td>
                  <a href={pipelinePath(run.pipeline)}>{run.pipeline}</a>
                </td>
              )}
              <td>
                <Time at={run.requested_at} as="clock" />{' '}
                <span class="faint">
                  <Time at={run.requested_at} />
                </span>
              </td>
              <td class="right">
                <Duration from={run.started_at} to={run.ended_at} />
              </td>
              <td class="clip">
                {run.trigger ?? '–'}
                {run.actor && <span class="faint"> by {run.actor}</span>}
                {run.message && <span class="message"> {run.message}</span>}
              </td>
              <td class="right number">{run.attempt}</td>
              <td>
                <a class="mono" href={runPath(run.run_id)}>
                  {shortId(run.run_id)}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Enough of an id to tell runs apart on a page. */
export function shortId(id: string): string {
  return id.length > 13 ? `${id.slice(0, 8)}…` : id;
}

const kBarWidth = 10;
const kBarStep = 13;
const kBarsHeight = 44;

/** The last runs as bars: the height is the duration, oldest at the left. */
export function RunBars({ runs, now }: { runs: Run[]; now: number }) {
  const shown = [...runs].reverse();
  const lengths = shown.map((run) => {
    if (run.started_at === null) return 0;
    return (run.ended_at === null ? now : Date.parse(run.ended_at)) - Date.parse(run.started_at);
  });
  const longest = Math.max(1, ...lengths);
  return (
    <svg
      class="run-bars"
      width={shown.length * kBarStep}
      height={kBarsHeight + 6}
      role="group"
      aria-label="Durations of the last runs, oldest first"
    >
      {shown.map((run, index) => {
        const height = Math.max(4, ((lengths[index] ?? 0) / longest) * kBarsHeight);
        const state = stateOf(run);
        const label = `${wordOf(state)}, ${dayAndClock(Date.parse(run.requested_at ?? ''), now)}, ${duration(lengths[index] ?? 0)}`;
        return (
          <a key={run.run_id} href={runPath(run.run_id)} aria-label={label}>
            <title>{label}</title>
            <rect
              class="hit"
              x={index * kBarStep}
              y="0"
              width={kBarStep}
              height={kBarsHeight + 6}
            />
            <rect
              class={`bar tone-${toneOf(state)} ${state === 'succeeded' ? '' : 'bar-marked'}`}
              x={index * kBarStep}
              y={kBarsHeight - height}
              width={kBarWidth}
              height={height}
              rx="2"
            />
            {state !== 'succeeded' && (
              <circle
                class={`tone-${toneOf(state)} bar-mark`}
                cx={index * kBarStep + kBarWidth / 2}
                cy={kBarsHeight + 4}
                r="2"
              />
            )}
          </a>
        );
      })}
    </svg>
  );
}
