// One run: how it goes or went, its nodes along time, and what it told.
import { useEvents } from '../api/event_store';
import type { Told } from '../api/live';
import { useResource } from '../api/resource';
import type { RunDetail } from '../api/types';
import { Cancel, pipelinePath, Retry } from '../parts/actions';
import { EventTable } from '../parts/event_table';
import { plural } from '../parts/format';
import { Empty, Fault, Panel, Waiting } from '../parts/panel';
import { RunStatus } from '../parts/status';
import { Duration, Time } from '../parts/time';
import { Timeline } from '../parts/timeline';
import type { PageProps } from '../shell/pages';

function Facts({ run }: { run: RunDetail }) {
  const parameters = Object.entries(run.parameters);
  return (
    <dl class="facts">
      <div>
        <dt>Asked for</dt>
        <dd>
          <Time at={run.requested_at} as="clock" />
          {run.actor && <span class="faint"> by {run.actor}</span>}
        </dd>
      </div>
      <div>
        <dt>Why</dt>
        <dd>{run.trigger ?? 'asked for'}</dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>
          <Time at={run.started_at} as="clock" />
        </dd>
      </div>
      <div>
        <dt>{run.ended_at === null && run.started_at !== null ? 'Running for' : 'Duration'}</dt>
        <dd>
          <Duration from={run.started_at} to={run.ended_at} />
        </dd>
      </div>
      <div>
        <dt>Attempt</dt>
        <dd>
          {run.attempt}
          {run.failures > 0 && <span class="faint"> ({plural(run.failures, 'failure')})</span>}
        </dd>
      </div>
      {run.retry_at !== null && run.status === 'waiting_to_retry' && (
        <div>
          <dt>Tries again</dt>
          <dd>
            <Time at={run.retry_at} />
          </dd>
        </div>
      )}
      {(run.selectors.length > 0 || run.full_refresh) && (
        <div>
          <dt>What</dt>
          <dd>
            {run.selectors.join(' ') || 'all nodes'}
            {run.full_refresh && <span class="badge">full refresh</span>}
          </dd>
        </div>
      )}
      {parameters.length > 0 && (
        <div>
          <dt>Parameters</dt>
          <dd class="mono">{parameters.map(([name, value]) => `${name}=${value}`).join(', ')}</dd>
        </div>
      )}
    </dl>
  );
}

function RunEvents({ run }: { run: string }) {
  const store = useEvents({ run_id: run });
  const events = store.events.value;
  return (
    <Panel
      title="Events"
      aside={<a href={`/events?run=${encodeURIComponent(run)}`}>Open in Events</a>}
    >
      {events.length === 0 ? (
        <Empty>{store.isLoaded.value ? 'Nothing was told yet.' : 'Loading…'}</Empty>
      ) : (
        <EventTable events={events} caption="Events of the run, oldest first" without="run" />
      )}
    </Panel>
  );
}

/** The run's own message, and those of its nodes that say more. */
function Faults({ run }: { run: RunDetail }) {
  const bad = run.nodes.filter((node) => node.status === 'failed' && node.message);
  const isTold = bad.some((node) => node.message === run.message);
  return (
    <>
      {run.message && !isTold && run.outcome !== 'succeeded' && (
        <Fault title="The run says" text={run.message} />
      )}
      {bad.map((node) => (
        <Fault key={node.node} title={`${node.node} failed`} text={node.message ?? ''} />
      ))}
    </>
  );
}

export default function RunPage({ params }: PageProps) {
  const id = params['run'] ?? '';
  const isOld = (told: Told) =>
    (told.kind === 'run' && told.run.run_id === id) ||
    (told.kind === 'event' && told.event.run_id === id && !/^(table|batch)_/.test(told.event.type));
  const apply = (run: RunDetail, told: Told) =>
    told.kind === 'run' && told.run.run_id === id ? { ...told.run, nodes: run.nodes } : run;
  const {
    data: run,
    error,
    put,
  } = useResource<RunDetail>(`/runs/${encodeURIComponent(id)}`, isOld, apply);
  return (
    <>
      <div class="page-head">
        <div>
          <p class="crumbs">
            <a href="/runs">Runs</a>
          </p>
          <h1 tabIndex={-1}>
            {run ? (
              <>
                Run of <a href={pipelinePath(run.pipeline)}>{run.pipeline}</a>
              </>
            ) : (
              'Run'
            )}
          </h1>
          {run && (
            <p class="page-sub" data-testid="run-state">
              <RunStatus run={run} />
              <span class="faint">
                {run.ended_at && (
                  <>
                    {' · '}
                    <Time at={run.ended_at} />
                  </>
                )}
                {' · '}
                <span class="mono">{run.run_id}</span>
              </span>
            </p>
          )}
        </div>
        {run && (
          <div class="page-actions">
            {run.status !== 'ended' && (
              <Cancel run={run} done={(changed) => put({ ...changed, nodes: run.nodes })} />
            )}
            {run.status === 'ended' && run.outcome !== 'succeeded' && (
              <Retry run={run} from="FAILED" />
            )}
            {run.status === 'ended' && <Retry run={run} from="BEGINNING" />}
          </div>
        )}
      </div>
      {!run && <Waiting error={error} />}
      {run && (
        <>
          <Faults run={run} />
          <Panel label="About">
            <div class="panel-body">
              <Facts run={run} />
            </div>
          </Panel>
          <Panel
            title="Timeline"
            aside={<span class="faint">{plural(run.nodes.length, 'node')}</span>}
          >
            {run.nodes.length === 0 ? (
              <Empty>
                {run.status === 'ended' ? 'No node was begun.' : 'No node has begun yet.'}
              </Empty>
            ) : (
              <Timeline run={run} />
            )}
          </Panel>
          <RunEvents run={id} />
        </>
      )}
    </>
  );
}
