// All runs, newest first, with filters that are in the address.
import { withQuery } from '../api/client';
import type { Told } from '../api/live';
import { useResource } from '../api/resource';
import type { Run } from '../api/types';
import { Empty, Panel, Waiting } from '../parts/panel';
import { RunTable, withRun } from '../parts/runs';
import { stateOf, wordOf } from '../parts/status';
import type { PageProps } from '../shell/pages';
import { project } from '../shell/project';
import { setQuery } from '../shell/router';

interface Runs {
  runs: Run[];
}

const kShown = 100;
const kShownMax = 1_000;
const kStatuses = ['queued', 'running', 'waiting_to_retry'];
const kOutcomes = ['succeeded', 'failed', 'cancelled', 'interrupted'];

/** What the server is asked: it knows statuses; outcomes are sorted out here. */
function pathOf(pipeline: string, state: string, limit: number): string {
  const isOutcome = kOutcomes.includes(state);
  return withQuery('/runs', {
    pipeline,
    status: isOutcome ? 'ended' : state,
    limit: isOutcome ? kShownMax : limit,
  });
}

export default function RunsPage({ query }: PageProps) {
  const pipeline = query.get('pipeline') ?? '';
  const state = query.get('state') ?? '';
  const limit = query.get('more') === null ? kShown : kShownMax;
  const isWanted = (run: Run) =>
    (!pipeline || run.pipeline === pipeline) && (!state || stateOf(run) === state);
  const { data, error } = useResource<Runs>(
    pathOf(pipeline, state, limit),
    (told: Told) => told.kind === 'run' && (!pipeline || told.run.pipeline === pipeline),
    (shown, told) =>
      told.kind === 'run' ? { runs: withRun(shown.runs, told.run, isWanted, kShownMax) } : shown,
  );
  const names = project.value?.pipelines.map(({ name }) => name) ?? [];
  if (pipeline && !names.includes(pipeline)) names.push(pipeline);
  const runs = (data?.runs ?? []).filter(isWanted).slice(0, limit);
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Runs</h1>
        <form
          class="filters"
          role="search"
          aria-label="Filter runs"
          onSubmit={(e) => e.preventDefault()}
        >
          <label>
            <span>Pipeline</span>
            <select
              value={pipeline}
              onChange={(change) => setQuery({ pipeline: change.currentTarget.value })}
            >
              <option value="">All</option>
              {names.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label>
            <span>State</span>
            <select
              value={state}
              onChange={(change) => setQuery({ state: change.currentTarget.value })}
            >
              <option value="">All</option>
              {[...kStatuses, ...kOutcomes].map((word) => (
                <option key={word} value={word}>
                  {wordOf(word)}
                </option>
              ))}
            </select>
          </label>
        </form>
      </div>
      {!data && <Waiting error={error} />}
      {data && (
        <Panel title={pipeline ? `Runs of ${pipeline}` : 'All runs'}>
          {runs.length === 0 ? (
            <Empty>{pipeline || state ? 'No run is like that.' : 'Nothing has run yet.'}</Empty>
          ) : (
            <RunTable runs={runs} />
          )}
          {runs.length === limit && limit < kShownMax && (
            <div class="panel-foot">
              <button onClick={() => setQuery({ more: '1' })}>Show up to {kShownMax}</button>
            </div>
          )}
        </Panel>
      )}
    </>
  );
}
