// The nodes of the graph as a tree (pipelines, their nodes): for the keyboard, for screen
// readers, and to find one among thousands.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { count } from '../parts/format';
import { Icon } from '../parts/icon';
import { Status } from '../parts/status';
import type { Model } from './model';

interface TreeProps {
  model: Model;
  /** Numbers of the nodes that are found; null: no search. */
  found: number[] | null;
  selected: number;
  select: (node: number) => void;
}

interface Group {
  pipeline: string;
  nodes: number[];
}

type Item = { kind: 'group'; group: Group; isOpen: boolean } | { kind: 'node'; node: number };

/** A search shows no more. */
const kFoundMax = 200;
/** Projects of this size are shown open. */
const kOpenNodesMax = 60;

function groupsOf({ nodes }: Model): Group[] {
  const groups = new Map<string, Group>();
  nodes.forEach(({ pipeline }, node) => {
    const group = groups.get(pipeline) ?? { pipeline, nodes: [] };
    group.nodes.push(node);
    groups.set(pipeline, group);
  });
  return [...groups.values()];
}

/** The state that tells most of a group. */
function stateOf({ nodes }: Model, group: Group): string {
  const states = new Set(group.nodes.map((node) => nodes[node]!.state));
  for (const state of ['running', 'failed', 'blocked', 'cancelled', 'succeeded', 'skipped'] as const) {
    if (states.has(state)) return state;
  }
  return 'none';
}

function keyOf(item: Item, { ids }: Model): string {
  return item.kind === 'group' ? `${item.group.pipeline}/` : ids[item.node]!;
}

export function Tree({ model, found, selected, select }: TreeProps) {
  const groups = useMemo(() => groupsOf(model), [model.shape]);
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState('');
  const list = useRef<HTMLUListElement>(null);
  const isOpenAtFirst = model.nodes.length <= kOpenNodesMax;
  const selectedPipeline = selected >= 0 ? model.nodes[selected]!.pipeline : '';

  const isOpen = (pipeline: string) => isOpenAtFirst !== toggled.has(pipeline);
  const toggle = (pipeline: string) => {
    const next = new Set(toggled);
    if (!next.delete(pipeline)) next.add(pipeline);
    setToggled(next);
  };
  useEffect(() => {
    if (selectedPipeline && !isOpen(selectedPipeline)) toggle(selectedPipeline);
  }, [selectedPipeline]);

  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [selected, toggled]);

  const items: Item[] = found
    ? found.slice(0, kFoundMax).map((node) => ({ kind: 'node', node }))
    : groups.flatMap((group): Item[] => {
        const open = isOpen(group.pipeline);
        const head: Item = { kind: 'group', group, isOpen: open };
        return open ? [head, ...group.nodes.map((node): Item => ({ kind: 'node', node }))] : [head];
      });
  const keys = items.map((item) => keyOf(item, model));
  const at = Math.max(0, keys.indexOf(current));

  const focus = (index: number) => {
    const key = keys[index];
    if (key === undefined) return;
    setCurrent(key);
    list.current?.querySelectorAll<HTMLElement>('[role=treeitem]')[index]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const item = items[at];
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'ArrowDown') focus(at + 1);
    else if (event.key === 'ArrowUp') focus(at - 1);
    else if (event.key === 'Home') focus(0);
    else if (event.key === 'End') focus(items.length - 1);
    else if (event.key === 'Enter' || event.key === ' ') act(item);
    else if (event.key === 'ArrowRight' && item.kind === 'group') {
      if (item.isOpen) focus(at + 1);
      else toggle(item.group.pipeline);
    } else if (event.key === 'ArrowLeft' && item.kind === 'group' && item.isOpen) {
      toggle(item.group.pipeline);
    } else if (event.key === 'ArrowLeft' && item.kind === 'node' && !found) {
      focus(keys.indexOf(`${model.nodes[item.node]!.pipeline}/`));
    } else return;
    event.preventDefault();
  };
  const act = (item: Item) => {
    if (item.kind === 'group') toggle(item.group.pipeline);
    else select(item.node === selected ? -1 : item.node);
  };
  return (
    <>
      <ul class="tree" role="tree" aria-label="Nodes" ref={list} onKeyDown={onKeyDown}>
        {items.map((item, index) => {
          const shared = {
            role: 'treeitem' as const,
            tabIndex: index === at ? 0 : -1,
            onFocus: () => setCurrent(keys[index]!),
            onClick: () => act(item),
          };
          if (item.kind === 'group') {
            return (
              <li key={keys[index]} {...shared} aria-level={1} aria-expanded={item.isOpen}>
                <Icon name={item.isOpen ? 'down' : 'right'} />
                <span class="tree-name">{item.group.pipeline}</span>
                <Status state={stateOf(model, item.group)} compact />
              </li>
            );
          }
          const node = model.nodes[item.node]!;
          return (
            <li
              key={keys[index]}
              {...shared}
              class={`tree-node layer-${(node.layer ?? 'none').toLowerCase()}`}
              data-id={keys[index]}
              aria-level={found ? 1 : 2}
              aria-selected={item.node === selected}
            >
              <span class="tree-name">
                {found && <span class="faint">{node.pipeline} / </span>}
                {node.name}
                <span class="visually-hidden">, {(node.layer ?? 'no layer').toLowerCase()}</span>
              </span>
              <Status state={node.state} compact />
            </li>
          );
        })}
      </ul>
      {found && (
        <p class="tree-note" role="status">
          {found.length === 0
            ? 'No node is like that.'
            : found.length > kFoundMax
              ? `${count(found.length)} nodes; the first ${kFoundMax} are listed.`
              : `${count(found.length)} found`}
        </p>
      )}
    </>
  );
}
