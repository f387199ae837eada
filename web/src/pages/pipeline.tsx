// One pipeline: how it is, what starts it, its nodes, its last runs.
import { withQuery } from '../api/client';
import type { Told } from '../api/live';
import { useResource } from '../api/resource';
import type { GraphNode, Pipeline, PipelineGraph, Run } from '../api/types';
import { PauseOrResume, RunNow } from '../parts/actions';
import { count, plural } from '../parts/format';
import { Empty, Fault, Panel, Waiting } from '../parts/panel';
import { RunBars, RunTable, withRun } from '../parts/runs';
import { Status } from '../parts/status';
import { nowMs, Time } from '../parts/time';
import { RunWith } from '../parts/run_with';
import type { PageProps } from '../shell/pages';

const kRuns = 30;

function Facts({ pipeline }: { pipeline: Pipeline }) {
  return (
    <dl class="facts">
      <div>
        <dt>File</dt>
        <dd class="mono">{pipeline.file}</dd>
      </div>
      {pipeline.owner && (
        <div>
          <dt>Owner</dt>
          <dd>{pipeline.owner}</dd>
        </div>
      )}
      {pipeline.tags.length > 0 && (
        <div>
          <dt>Tags</dt>
          <dd>
            {pipeline.tags.map((tag) => (
              <span key={tag} class="badge tag">
                {tag}
              </span>
            ))}
          </dd>
        </div>
      )}
      <div class="wide">
        <dt>Started by</dt>
        <dd>
          {pipeline.triggers.length === 0 && 'hand or API only'}
          {pipeline.triggers.map(({ kind, text, next }) => (
            <div key={kind + text}>
              <span class="faint">{kind}</span> {text}
              {next && (
                <span class="faint">
                  , next <Time at={next} /> (<Time at={next} as="clock" />)
                </span>
              )}
            </div>
          ))}
        </dd>
      </div>
    </dl>
  );
}

export function LayerMark({ layer }: { layer: string | null }) {
  if (layer === null) return <span class="faint">–</span>;
  return <span class={`layer layer-${layer.toLowerCase()}`}>{layer.toLowerCase()}</span>;
}

function Nodes({ nodes, pipeline }: { nodes: GraphNode[]; pipeline: string }) {
  return (
    <div class="table-scroll">
      <table class="rows">
        <caption class="visually-hidden">Nodes</caption>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Layer</th>
            <th scope="col">State</th>
            <th scope="col" class="right">
              Rows
            </th>
            <th scope="col">When</th>
            <th scope="col">Table</th>
            <th scope="col">Reads</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <tr key={node.name} data-node={node.name}>
              <th scope="row">
                <a href={withQuery('/graph', { node: `${pipeline}/${node.name}` })}>{node.name}</a>
              </th>
              <td>
                <LayerMark layer={node.layer} />
              </td>
              <td>
                <Status state={node.state} />
              </td>
              <td class="right number">
                {node.rows_written === null ? (
                  <span class="faint">–</span>
                ) : (
                  count(node.rows_written)
                )}
              </td>
              <td>
                <Time at={node.at} />
              </td>
              <td class="mono">{node.table ?? '–'}</td>
              <td class="clip">{node.upstream.join(', ') || <span class="faint">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export default function PipelinePage({ params }: PageProps) {
  const name = params['pipeline'] ?? '';
  const path = `/pipelines/${encodeURIComponent(name)}`;
  const isOfRun = (told: Told) => told.kind === 'run' && told.run.pipeline === name;
  const isOld = (told: Told) => told.kind === 'pipelines' || isOfRun(told);
  const { data: pipeline, error, put } = useResource<Pipeline>(path, isOld);
  const { data: graph } = useResource<PipelineGraph>(
    `${path}/graph`,
    (told) =>
      isOld(told) ||
      (told.kind === 'event' &&
        told.event.pipeline === name &&
        told.event.type.startsWith('node_')),
  );
  const { data: last } = useResource<{ runs: Run[] }>(
    withQuery('/runs', { pipeline: name, limit: kRuns }),
    isOfRun,
    (shown, told) =>
      told.kind === 'run'
        ? { runs: withRun(shown.runs, told.run, (run) => run.pipeline === name, kRuns) }
        : shown,
  );
  return (
    <>
      <div class="page-head">
        <div>
          <p class="crumbs">
            <a href="/">Overview</a>
          </p>
          <h1 tabIndex={-1}>{name}</h1>
          {pipeline && (
            <p class="page-sub">
              <Status state={pipeline.state} />
              {pipeline.paused && pipeline.state !== 'paused' && <span class="badge">paused</span>}
              {pipeline.description && <span> · {pipeline.description}</span>}
            </p>
          )}
        </div>
        {pipeline && (
          <div class="page-actions">
            <PauseOrResume pipeline={pipeline} done={put} />
            <RunWith pipeline={name} nodes={graph?.nodes ?? []} />
            <RunNow pipeline={name} kind="primary" />
          </div>
        )}
      </div>
      {!pipeline && <Waiting error={error} />}
      {pipeline && (
        <>
          {pipeline.error !== null && (
            <Fault
              title="The file is invalid; the last valid version stays in force"
              text={pipeline.error}
            />
          )}
          <Panel label="About">
            <div class="panel-body">
              <Facts pipeline={pipeline} />
            </div>
          </Panel>
          <Panel
            title="Nodes"
            aside={
              <>
                <span class="faint">{plural(pipeline.nodes, 'node')}</span>
                <a href={withQuery('/graph', { pipeline: name })}>Show in the graph</a>
              </>
            }
          >
            {graph ? <Nodes nodes={graph.nodes} pipeline={name} /> : <Waiting error={null} />}
          </Panel>
          <Panel
            title="Last runs"
            aside={<a href={withQuery('/runs', { pipeline: name })}>All runs</a>}
          >
            {last && last.runs.length > 0 ? (
              <>
                <div class="panel-body bars-body">
                  <RunBars runs={last.runs} now={nowMs()} />
                </div>
                <RunTable runs={last.runs} of={name} />
              </>
            ) : (
              <Empty>{last ? 'It has not run yet.' : 'Loading…'}</Empty>
            )}
          </Panel>
        </>
      )}
    </>
  );
}
