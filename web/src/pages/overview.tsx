// What is going on in the project, at one look.
import { useEffect, useState } from 'preact/hooks';
import type { Told } from '../api/live';
import { useResource } from '../api/resource';
import type { Counts, Overview, Pipeline, Run } from '../api/types';
import { PauseOrResume, pipelinePath, RunNow, runPath } from '../parts/actions';
import { count, plural } from '../parts/format';
import { Icon, type IconName } from '../parts/icon';
import { Empty, Panel, Waiting } from '../parts/panel';
import { withRun } from '../parts/runs';
import { RunStatus, Status } from '../parts/status';
import { Duration, Time } from '../parts/time';
import type { PageProps } from '../shell/pages';
import { learn } from '../shell/project';
import { setQuery } from '../shell/router';

const kRunsMax = 20;
const kComingMax = 8;
/** More pipelines are shown on wish only: all of them change while one looks. */
const kPipelinesShown = 100;

/** The filters that the tiles stand for: what a pipeline must be to be shown. */
const kFilters: Record<string, (pipeline: Pipeline) => boolean> = {
  running: (pipeline) => pipeline.open_runs.some((run) => run.status === 'running'),
  queued: (pipeline) =>
    pipeline.open_runs.some((run) => run.status === 'queued' || run.status === 'waiting_to_retry'),
  failing,
  invalid: (pipeline) => pipeline.error !== null,
  paused: (pipeline) => pipeline.paused,
};

const kTiles: [string, keyof Counts, string, IconName][] = [
  ['', 'pipelines', 'Pipelines', 'overview'],
  ['running', 'running', 'Running', 'running'],
  ['queued', 'queued', 'Queued', 'queued'],
  ['failing', 'failing', 'Failing', 'failed'],
  ['invalid', 'invalid', 'Invalid', 'invalid'],
  ['paused', 'paused', 'Paused', 'paused'],
];

function failing(pipeline: Pipeline): boolean {
  const outcome = pipeline.last_run?.outcome;
  return outcome !== undefined && outcome !== null && outcome !== 'succeeded';
}

function isOld(told: Told): boolean {
  return told.kind === 'run' || told.kind === 'pipelines';
}

/** What a told run changes, until the server's own counts come. */
function apply(overview: Overview, told: Told): Overview {
  if (told.kind !== 'run') return overview;
  const { run } = told;
  return {
    ...overview,
    runs: withRun(overview.runs, run, () => true, kRunsMax),
    pipelines: overview.pipelines.map((pipeline) =>
      pipeline.name === run.pipeline ? withRunOf(pipeline, run) : pipeline,
    ),
  };
}

function withRunOf(pipeline: Pipeline, run: Run): Pipeline {
  const open = pipeline.open_runs.filter((other) => other.run_id !== run.run_id);
  if (run.status === 'ended') return { ...pipeline, open_runs: open, last_run: run };
  return { ...pipeline, open_runs: [run, ...open] };
}

function Tiles({ counts, chosen }: { counts: Counts; chosen: string }) {
  return (
    <ul class="tiles" aria-label="Counts; each shows its pipelines">
      {kTiles.map(([filter, key, label, icon]) => (
        <li key={key}>
          <button
            class={`tile tile-${key} ${counts[key] === 0 ? 'tile-zero' : ''}`}
            aria-pressed={filter !== '' && chosen === filter}
            onClick={() => setQuery({ state: chosen === filter ? null : filter })}
          >
            <span class="tile-label">
              <Icon name={icon} />
              {label}
            </span>
            <span class="tile-count" data-count={key}>
              {counts[key]}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function LastRun({ pipeline }: { pipeline: Pipeline }) {
  const open = pipeline.open_runs[0];
  const run = open ?? pipeline.last_run;
  if (!run) return <span class="faint">never run</span>;
  return (
    <a class="quiet last-run" href={runPath(run.run_id)}>
      <RunStatus run={run} />
      <span class="faint">
        {open ? (
          <Duration from={run.started_at} to={null} />
        ) : (
          <>
            <Time at={run.ended_at} /> · <Duration from={run.started_at} to={run.ended_at} />
          </>
        )}
      </span>
    </a>
  );
}

function nextOf(pipeline: Pipeline): string | null {
  const instants = pipeline.triggers.flatMap((trigger) => (trigger.next ? [trigger.next] : []));
  return instants.sort()[0] ?? null;
}

function PipelineRow({ pipeline }: { pipeline: Pipeline }) {
  const next = nextOf(pipeline);
  return (
    <tr data-pipeline={pipeline.name}>
      <td>
        <Status state={pipeline.error === null ? pipeline.state : 'invalid'} compact />
      </td>
      <th scope="row" class="name">
        <a href={pipelinePath(pipeline.name)}>{pipeline.name}</a>
        {pipeline.paused && <span class="badge">paused</span>}
        {pipeline.error === null ? (
          <span class="faint clip-line">{pipeline.description}</span>
        ) : (
          <span class="bad clip-line" title={pipeline.error}>
            {pipeline.error}
          </span>
        )}
      </th>
      <td>
        <LastRun pipeline={pipeline} />
      </td>
      <td class="triggers">
        {pipeline.triggers.length === 0 && <span class="faint">manual</span>}
        {pipeline.triggers.map((trigger) => (
          <span key={trigger.text} class="trigger clip-line" title={trigger.text}>
            <span class="trigger-kind">{trigger.kind}</span> {trigger.text}
          </span>
        ))}
        {next !== null && (
          <span class="faint trigger">
            next <Time at={next} />
          </span>
        )}
      </td>
      <td class="actions">
        <RunNow pipeline={pipeline.name} kind="bare" />
        <PauseOrResume pipeline={pipeline} kind="bare" />
      </td>
    </tr>
  );
}

function Pipelines({ all, filter, words }: { all: Pipeline[]; filter: string; words: string }) {
  const [isWhole, setWhole] = useState(false);
  const wanted = words.toLowerCase();
  const found = all.filter(
    (pipeline) =>
      (kFilters[filter]?.(pipeline) ?? true) &&
      [pipeline.name, pipeline.owner, ...pipeline.tags].join(' ').toLowerCase().includes(wanted),
  );
  const shown = isWhole ? found : found.slice(0, kPipelinesShown);
  return (
    <Panel
      title="Pipelines"
      aside={
        <label class="search">
          <Icon name="search" />
          <span class="visually-hidden">Search pipelines by name, owner or tag</span>
          <input
            type="search"
            placeholder="Name, owner, tag"
            value={words}
            onInput={(input) => setQuery({ q: input.currentTarget.value })}
          />
        </label>
      }
    >
      {shown.length === 0 ? (
        <Empty>
          {all.length === 0
            ? 'The project has no pipelines yet. A file in its pipelines folder appears here.'
            : 'No pipeline is like that.'}
        </Empty>
      ) : (
        <div class="table-scroll">
          <table class="rows pipelines">
            <caption class="visually-hidden">Pipelines by name</caption>
            <thead>
              <tr>
                <th scope="col">
                  <span class="visually-hidden">State</span>
                </th>
                <th scope="col">Pipeline</th>
                <th scope="col">Last run</th>
                <th scope="col">Started by</th>
                <th scope="col">
                  <span class="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((pipeline) => (
                <PipelineRow key={pipeline.name} pipeline={pipeline} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown.length < found.length && (
        <div class="panel-foot">
          <button onClick={() => setWhole(true)}>Show all {count(found.length)} pipelines</button>
        </div>
      )}
    </Panel>
  );
}

function Coming({ pipelines }: { pipelines: Pipeline[] }) {
  const coming = pipelines
    .filter((pipeline) => !pipeline.paused)
    .flatMap((pipeline) =>
      pipeline.triggers.flatMap(({ next, text }) =>
        next === null ? [] : [{ name: pipeline.name, text, next }],
      ),
    )
    .sort((a, b) => a.next.localeCompare(b.next))
    .slice(0, kComingMax);
  return (
    <Panel title="Coming up">
      {coming.length === 0 ? (
        <Empty>No trigger has an instant ahead.</Empty>
      ) : (
        <ul class="lines">
          {coming.map(({ name, text, next }) => (
            <li key={name + text}>
              <a class="quiet" href={pipelinePath(name)}>
                <span class="line-main">{name}</span>
                <span class="line-side">
                  <Time at={next} />
                </span>
                <span class="line-sub">
                  <Time at={next} as="clock" />
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function LastRuns({ runs }: { runs: Run[] }) {
  return (
    <Panel title="Last runs" aside={<a href="/runs">All runs</a>}>
      {runs.length === 0 ? (
        <Empty>Nothing has run yet.</Empty>
      ) : (
        <ul class="lines" data-testid="last-runs">
          {runs.map((run) => (
            <li key={run.run_id} data-run={run.run_id}>
              <a class="quiet" href={runPath(run.run_id)}>
                <span class="line-main">
                  <RunStatus run={run} compact /> {run.pipeline}
                </span>
                <span class="line-side">
                  <Duration from={run.started_at} to={run.ended_at} />
                </span>
                <span class="line-sub">
                  <Time at={run.ended_at ?? run.started_at ?? run.requested_at} />
                  {run.trigger && <> · {run.trigger}</>}
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function healthOf({ pipelines, counts }: Overview): { state: string; text: string } {
  const ill = pipelines.filter((pipeline) => failing(pipeline) || pipeline.error !== null).length;
  if (ill > 0) {
    return {
      state: 'failed',
      text: `${plural(ill, 'pipeline needs', 'pipelines need')} attention`,
    };
  }
  if (counts.pipelines === 0) return { state: 'idle', text: 'No pipelines yet' };
  return { state: 'succeeded', text: 'All pipelines are healthy' };
}

export default function OverviewPage({ query }: PageProps) {
  const { data, error } = useResource<Overview>('/overview', isOld, apply);
  useEffect(() => {
    if (data) learn(data);
  }, [data]);
  const health = data && healthOf(data);
  return (
    <>
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>Overview</h1>
          {health && (
            <p class="page-sub" data-testid="health">
              <Status state={health.state} word={health.text} />
            </p>
          )}
        </div>
        {data && (
          <p class="faint page-note">
            Serving since <Time at={data.started_at} as="clock" />
          </p>
        )}
      </div>
      {!data && <Waiting error={error} />}
      {data && (
        <>
          <Tiles counts={data.counts} chosen={query.get('state') ?? ''} />
          <div class="with-side">
            <Pipelines
              all={data.pipelines}
              filter={query.get('state') ?? ''}
              words={query.get('q') ?? ''}
            />
            <div class="side">
              <Coming pipelines={data.pipelines} />
              <LastRuns runs={data.runs} />
            </div>
          </div>
        </>
      )}
    </>
  );
}
