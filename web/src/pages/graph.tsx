// All pipelines as one graph, with what is going on in it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { withQuery } from '../api/client';
import type { Told } from '../api/live';
import { useResource } from '../api/resource';
import type { Graph, JoinedNode, NodeState } from '../api/types';
import { layOut, type Layout } from '../graph/layout';
import { layoutOf } from '../graph/layout_client';
import { beside, idOf, layoutInput, modelOf, relatives, type Model } from '../graph/model';
import { Tree } from '../graph/tree';
import { GraphView } from '../graph/view';
import { pipelinePath } from '../parts/actions';
import { count, plural } from '../parts/format';
import { Icon } from '../parts/icon';
import { Empty, Fault, Waiting } from '../parts/panel';
import { Status } from '../parts/status';
import { Time } from '../parts/time';
import type { PageProps } from '../shell/pages';
import { setQuery } from '../shell/router';
import { LayerMark } from './pipeline';

const kStatesTold: Record<string, NodeState> = {
  node_started: 'running',
  node_succeeded: 'succeeded',
  node_skipped: 'skipped',
  node_failed: 'failed',
  node_cancelled: 'cancelled',
};

function isOld(told: Told): boolean {
  return told.kind === 'pipelines' || (told.kind === 'run' && told.run.status === 'ended');
}

/** What an event of a node changes in the picture. */
function apply(graph: Graph, told: Told): Graph {
  if (told.kind !== 'event' || !told.event.node) return graph;
  const { event } = told;
  const plain = kStatesTold[event.type];
  if (!plain) return graph;
  const state = event.details?.['status'] === 'blocked' ? 'blocked' : plain;
  const index = graph.nodes.findIndex(
    (node) => node.pipeline === event.pipeline && node.name === event.node,
  );
  if (index < 0) return graph;
  const nodes = [...graph.nodes];
  const message = state === 'failed' ? event.message : null;
  nodes[index] = { ...nodes[index]!, state, at: event.time, message };
  return { ...graph, nodes };
}

function useLayout(model: Model | null): Layout | null {
  const [laid, setLaid] = useState<{ shape: string; layout: Layout } | null>(null);
  useEffect(() => {
    if (!model) return;
    let isWanted = true;
    const take = (layout: Layout) => {
      if (isWanted) setLaid({ shape: model.shape, layout });
    };
    // Without a worker the page waits for it itself.
    layoutOf(model.shape, () => layoutInput(model)).then(take, () =>
      take(layOut(layoutInput(model))),
    );
    return () => void (isWanted = false);
  }, [model?.shape]);
  return laid && laid.shape === model?.shape ? laid.layout : null;
}

function find({ nodes }: Model, words: string): number[] | null {
  if (words === '') return null;
  const found: number[] = [];
  nodes.forEach((node, number) => {
    const text = `${idOf(node)} ${node.table ?? ''} ${node.state}`.toLowerCase();
    if (words.split(/\s+/).every((word) => text.includes(word))) found.push(number);
  });
  return found;
}

function Neighbours({
  model,
  node,
  where,
}: {
  model: Model;
  node: number;
  where: 'before' | 'behind';
}) {
  const numbers = beside(model, node, where);
  if (numbers.length === 0) return null;
  const own = model.nodes[node]!;
  return (
    <div>
      <dt>{where === 'before' ? 'Reads' : 'Read by'}</dt>
      <dd>
        <ul class="neighbours">
          {numbers.map((number) => {
            const other = model.nodes[number]!;
            return (
              <li key={number}>
                <button class="link" onClick={() => setQuery({ node: model.ids[number]! }, 'push')}>
                  {other.pipeline !== own.pipeline && `${other.pipeline} / `}
                  {other.name}
                </button>
              </li>
            );
          })}
        </ul>
      </dd>
    </div>
  );
}

function NodeCard({ model, number, node }: { model: Model; number: number; node: JoinedNode }) {
  return (
    <section class="node-card" aria-labelledby="node-card">
      <div class="node-card-head">
        <h2 id="node-card">{node.name}</h2>
        <button
          class="bare"
          aria-label="Close"
          title="Close"
          onClick={() => setQuery({ node: null })}
        >
          <Icon name="close" />
        </button>
      </div>
      <p>
        <Status state={node.state} />{' '}
        <span class="faint">
          <Time at={node.at} />
        </span>
      </p>
      {node.message && <pre class="node-message">{node.message}</pre>}
      <dl>
        <div>
          <dt>Pipeline</dt>
          <dd>
            <a href={pipelinePath(node.pipeline)}>{node.pipeline}</a>
          </dd>
        </div>
        <div>
          <dt>Layer</dt>
          <dd>
            <LayerMark layer={node.layer} />
          </dd>
        </div>
        {node.table && (
          <div>
            <dt>Table</dt>
            <dd class="mono">{node.table}</dd>
          </div>
        )}
        <div>
          <dt>Rows written</dt>
          <dd>{node.rows_written === null ? '–' : count(node.rows_written)}</dd>
        </div>
        <Neighbours model={model} node={number} where="before" />
        <Neighbours model={model} node={number} where="behind" />
      </dl>
      <p>
        <a href={withQuery('/events', { pipeline: node.pipeline, node: node.name })}>
          Events of the node
        </a>
      </p>
    </section>
  );
}

export default function GraphPage({ query }: PageProps) {
  const { data: graph, error } = useResource<Graph>('/graph', isOld, apply);
  const pipeline = query.get('pipeline') ?? '';
  const words = (query.get('q') ?? '').toLowerCase().trim();
  const model = useMemo(() => graph && modelOf(graph, pipeline), [graph, pipeline]);
  const layout = useLayout(model);
  const selected = model?.numbers.get(query.get('node') ?? '') ?? -1;
  const found = useMemo(() => model && find(model, words), [model, words]);
  const lit = useMemo(() => {
    if (!model) return null;
    if (selected >= 0) return relatives(model, selected);
    if (!found) return null;
    const marked = new Uint8Array(model.nodes.length);
    for (const number of found) marked[number] = 1;
    return marked;
  }, [model?.shape, selected, found]);
  const select = (number: number) =>
    setQuery({ node: number < 0 ? null : (model?.ids[number] ?? null) }, 'push');
  const names = useMemo(
    () => [...new Set(graph?.nodes.map((node) => node.pipeline))].sort(),
    [graph],
  );
  return (
    <div class="graph-page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>Graph</h1>
          {model && (
            <p class="page-sub" data-testid="graph-size">
              {plural(model.nodes.length, 'node')}, {plural(model.edges.length / 2, 'edge')}
            </p>
          )}
        </div>
        <form
          class="filters"
          role="search"
          aria-label="Filter the graph"
          onSubmit={(e) => e.preventDefault()}
        >
          <label>
            <span>Pipeline</span>
            <select
              value={pipeline}
              onChange={(change) => setQuery({ pipeline: change.currentTarget.value, node: null })}
            >
              <option value="">All</option>
              {names.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </form>
      </div>
      {error && !graph && <Fault title={error.title} text={error.detail} />}
      {!graph && !error && <Waiting error={null} />}
      {model && model.nodes.length === 0 && <Empty>There are no nodes yet.</Empty>}
      {model && model.nodes.length > 0 && (
        <div
          class="graph-frame"
          onKeyDown={(event) => {
            if (event.key === 'Escape' && selected >= 0) select(-1);
          }}
        >
          <div class="graph-list">
            <label class="search">
              <Icon name="search" />
              <span class="visually-hidden">Search nodes by name, table or state</span>
              <input
                type="search"
                placeholder="Node, table, state"
                value={query.get('q') ?? ''}
                onInput={(input) => setQuery({ q: input.currentTarget.value })}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' && found?.length) select(found[0]!);
                }}
              />
            </label>
            <Tree model={model} found={found} selected={selected} select={select} />
          </div>
          <div class="graph-stage">
            {layout ? (
              <GraphView
                model={model}
                layout={layout}
                lit={lit}
                selected={selected}
                select={select}
              />
            ) : (
              <Waiting error={null} />
            )}
            {selected >= 0 && (
              <NodeCard model={model} number={selected} node={model.nodes[selected]!} />
            )}
          </div>
        </div>
      )}
    </div>
  );
}
