// The joined graph as pages use it: nodes by number, edges both ways.
import type { Graph, GraphEdge, JoinedNode } from '../api/types';
import type { LayoutInput } from './layout';

export interface Model {
  nodes: JoinedNode[];
  /** "<pipeline>/<node>", by number. */
  ids: string[];
  numbers: Map<string, number>;
  /** From, to, by number. */
  edges: Int32Array;
  /** Of each edge. */
  rows: (number | null)[];
  /** Equal for graphs of one shape, whatever their states. */
  shape: string;
}

const kLayers = ['BRONZE', 'SILVER', 'GOLD'];

export function idOf(node: JoinedNode): string {
  return `${node.pipeline}/${node.name}`;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Bronze first; what has no layer stands in the middle, where most of that is. */
function rank({ layer }: JoinedNode): number {
  return layer === null ? 1 : kLayers.indexOf(layer);
}

/** The nodes of one pipeline and what they read and are read by. */
function ofPipeline(graph: Graph, pipeline: string): Graph {
  const isOwn = (id: string) => id.startsWith(`${pipeline}/`);
  const edges = graph.edges.filter(({ from, to }) => isOwn(from) || isOwn(to));
  const near = new Set(edges.flatMap(({ from, to }) => [from, to]));
  return {
    nodes: graph.nodes.filter((node) => node.pipeline === pipeline || near.has(idOf(node))),
    edges,
  };
}

/** The graph, or the part of it around one pipeline. */
export function modelOf(whole: Graph, pipeline: string): Model {
  const graph = pipeline ? ofPipeline(whole, pipeline) : whole;
  const nodes = [...graph.nodes].sort(
    (a, b) => order(a.pipeline, b.pipeline) || rank(a) - rank(b) || order(a.name, b.name),
  );
  const ids = nodes.map(idOf);
  const numbers = new Map(ids.map((id, number) => [id, number]));
  const known = graph.edges.filter(({ from, to }) => numbers.has(from) && numbers.has(to));
  const edges = new Int32Array(known.length * 2);
  known.forEach(({ from, to }: GraphEdge, index) => {
    edges[2 * index] = numbers.get(from)!;
    edges[2 * index + 1] = numbers.get(to)!;
  });
  return {
    nodes,
    ids,
    numbers,
    edges,
    rows: known.map(({ rows }) => rows),
    shape: `${nodes.map((node, n) => ids[n] + (node.layer ?? '')).join()};${edges.join()}`,
  };
}

export function layoutInput({ nodes, edges }: Model): LayoutInput {
  return {
    layers: Int8Array.from(nodes, ({ layer }) => (layer === null ? -1 : kLayers.indexOf(layer))),
    edges,
  };
}

/** All that `start` comes from and all that comes from it, and itself. */
export function relatives({ nodes, edges }: Model, start: number): Uint8Array {
  const marked = new Uint8Array(nodes.length);
  const walk = (from: 0 | 1) => {
    const next = new Map<number, number[]>();
    for (let e = 0; e < edges.length; e += 2) {
      const key = edges[e + from]!;
      const list = next.get(key);
      if (list) list.push(edges[e + 1 - from]!);
      else next.set(key, [edges[e + 1 - from]!]);
    }
    const open = [start];
    const seen = new Set(open);
    while (open.length > 0) {
      const n = open.pop()!;
      marked[n] = 1;
      for (const other of next.get(n) ?? []) {
        if (!seen.has(other)) open.push(other);
        seen.add(other);
      }
    }
  };
  walk(0);
  walk(1);
  return marked;
}

/** Numbers of the nodes directly before (upstream) or behind one. */
export function beside({ edges }: Model, node: number, where: 'before' | 'behind'): number[] {
  const found: number[] = [];
  const here = where === 'before' ? 1 : 0;
  for (let e = 0; e < edges.length; e += 2) {
    if (edges[e + here] === node) found.push(edges[e + 1 - here]!);
  }
  return found;
}
