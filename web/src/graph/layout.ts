// Where nodes stand: columns by layer (bronze, silver, gold) and by depth within a layer,
// rows so that edges are short and cross little. Parts that nothing joins stand below each
// other; where that gets too high, in strips beside each other. A pure function, so that a
// worker can run it.

export interface LayoutInput {
  /** 0 bronze, 1 silver, 2 gold; -1: none of its own. Nodes are in the order of names. */
  layers: Int8Array;
  /** Pairs of indexes into `layers`: from, to. */
  edges: Int32Array;
}

export interface Layout {
  /** Left and top of each node. */
  x: Float32Array;
  y: Float32Array;
  /** Left edge of the first and right edge of the last column of each layer, strip by strip. */
  bands: { layer: number; left: number; right: number }[];
  width: number;
  height: number;
}

export const kNodeWidth = 204;
export const kNodeHeight = 46;
const kColumnStep = 282;
const kRowStep = 60;
const kPartGap = 28;
const kStripGap = 190;
/** Higher than so many times the width: strips. */
const kTallness = 6;
/** Width to height that strips come to. */
const kAspect = 1.5;
const kOrderSweeps = 6;
const kPlaceSweeps = 8;

/** Neighbours of all nodes in one array: those of n are at [starts[n], starts[n+1]). */
interface Neighbours {
  starts: Int32Array;
  of: Int32Array;
}

function neighbours(count: number, edges: Int32Array, from: 0 | 1): Neighbours {
  const starts = new Int32Array(count + 1);
  for (let e = from; e < edges.length; e += 2) starts[edges[e]! + 1]!++;
  for (let n = 0; n < count; n++) starts[n + 1]! += starts[n]!;
  const of = new Int32Array(edges.length / 2);
  const next = starts.slice();
  for (let e = 0; e < edges.length; e += 2) of[next[edges[e + from]!]!++] = edges[e + 1 - from]!;
  return { starts, of };
}

/** Nodes so that each comes behind what it reads; those of a cycle come last. */
function inOrder(count: number, up: Neighbours, down: Neighbours): Int32Array {
  const waits = new Int32Array(count);
  const order = new Int32Array(count);
  let end = 0;
  for (let n = 0; n < count; n++) {
    waits[n] = up.starts[n + 1]! - up.starts[n]!;
    if (waits[n] === 0) order[end++] = n;
  }
  for (let begin = 0; begin < end; begin++) {
    const n = order[begin]!;
    for (let k = down.starts[n]!; k < down.starts[n + 1]!; k++) {
      if (--waits[down.of[k]!]! === 0) order[end++] = down.of[k]!;
    }
  }
  for (let n = 0; n < count && end < count; n++) if (waits[n]! > 0) order[end++] = n;
  return order;
}

/** The layer of each node; one without stands where what it reads does. */
function layersOf(input: LayoutInput, order: Int32Array, up: Neighbours): Int8Array {
  const layers = input.layers.slice();
  for (const n of order) {
    if (layers[n]! >= 0) continue;
    layers[n] = 0;
    for (let k = up.starts[n]!; k < up.starts[n + 1]!; k++) {
      layers[n] = Math.max(layers[n]!, layers[up.of[k]!]!);
    }
  }
  return layers;
}

/** The column of each node, and the first column of each layer. */
function columnsOf(layers: Int8Array, order: Int32Array, up: Neighbours) {
  const depth = new Int32Array(layers.length);
  const depths = [0, 0, 0];
  for (const n of order) {
    for (let k = up.starts[n]!; k < up.starts[n + 1]!; k++) {
      const other = up.of[k]!;
      if (layers[other] === layers[n]) depth[n] = Math.max(depth[n]!, depth[other]! + 1);
    }
    depths[layers[n]!] = Math.max(depths[layers[n]!]!, depth[n]! + 1);
  }
  const first = [0, depths[0]!, depths[0]! + depths[1]!];
  const columns = depth.map((deep, n) => first[layers[n]!]! + deep);
  return { columns, first, depths };
}

/** Which part each node belongs to; parts are numbered by their first node. */
function partsOf(count: number, edges: Int32Array): { part: Int32Array; parts: number } {
  const root = Int32Array.from({ length: count }, (_, n) => n);
  const find = (n: number) => {
    while (root[n] !== n) n = root[n] = root[root[n]!]!;
    return n;
  };
  for (let e = 0; e < edges.length; e += 2) {
    const a = find(edges[e]!);
    const b = find(edges[e + 1]!);
    root[Math.max(a, b)] = Math.min(a, b);
  }
  const numbers = new Map<number, number>();
  const part = new Int32Array(count);
  for (let n = 0; n < count; n++) {
    const top = find(n);
    if (!numbers.has(top)) numbers.set(top, numbers.size);
    part[n] = numbers.get(top)!;
  }
  return { part, parts: numbers.size };
}

function mean(n: number, { starts, of }: Neighbours, values: Float32Array): number {
  const begin = starts[n]!;
  const end = starts[n + 1]!;
  if (begin === end) return values[n]!;
  let sum = 0;
  for (let k = begin; k < end; k++) sum += values[of[k]!]!;
  return sum / (end - begin);
}

/** Orders the nodes of each column by where their neighbours are, to and fro. */
function sortColumns(columns: number[][], up: Neighbours, down: Neighbours, y: Float32Array) {
  const number = (column: number[]) =>
    column.forEach((n, row) => (y[n] = row - (column.length - 1) / 2));
  columns.forEach(number);
  const wish = new Float32Array(y.length);
  for (let sweep = 0; sweep < kOrderSweeps; sweep++) {
    const beside = sweep % 2 === 0 ? up : down;
    for (const column of sweep % 2 === 0 ? columns : [...columns].reverse()) {
      for (const n of column) wish[n] = mean(n, beside, y);
      column.sort((a, b) => wish[a]! - wish[b]! || y[a]! - y[b]!);
      number(column);
    }
  }
}

/**
 * The rows nearest to `wish` that keep the order and one row's distance: isotonic
 * regression by pooling neighbours that want to pass each other.
 */
function placeColumn(column: number[], wish: Float32Array, y: Float32Array): void {
  const sums: number[] = [];
  const sizes: number[] = [];
  column.forEach((n, row) => {
    let sum = wish[n]! - row;
    let size = 1;
    while (sums.length > 0 && sums.at(-1)! / sizes.at(-1)! > sum / size) {
      sum += sums.pop()!;
      size += sizes.pop()!;
    }
    sums.push(sum);
    sizes.push(size);
  });
  let row = 0;
  sums.forEach((sum, block) => {
    for (let k = 0; k < sizes[block]!; k++, row++) y[column[row]!] = sum / sizes[block]! + row;
  });
}

function placeColumns(columns: number[][], up: Neighbours, down: Neighbours, y: Float32Array) {
  const wish = new Float32Array(y.length);
  for (let sweep = 0; sweep < kPlaceSweeps; sweep++) {
    const beside = sweep % 2 === 0 ? down : up;
    for (const column of sweep % 2 === 0 ? [...columns].reverse() : columns) {
      for (const n of column) wish[n] = mean(n, beside, y);
      placeColumn(column, wish, y);
    }
  }
}

/** Lays out the whole graph; the same input gives the same layout. */
export function layOut(input: LayoutInput): Layout {
  const count = input.layers.length;
  const up = neighbours(count, input.edges, 1);
  const down = neighbours(count, input.edges, 0);
  const order = inOrder(count, up, down);
  const layers = layersOf(input, order, up);
  const { columns, first, depths } = columnsOf(layers, order, up);
  const { part, parts } = partsOf(count, input.edges);

  const members: number[][][] = Array.from({ length: parts }, () => []);
  for (let n = 0; n < count; n++) (members[part[n]!]![columns[n]!] ??= []).push(n);
  const rows = new Float32Array(count);
  const placed = members.map((sparse) => {
    const filled = sparse.filter((column) => column !== undefined);
    sortColumns(filled, up, down, rows);
    placeColumns(filled, up, down, rows);
    const least = Math.min(...filled.map((column) => rows[column[0]!]!));
    const most = Math.max(...filled.map((column) => rows[column.at(-1)!]!));
    return { nodes: filled.flat(), least, height: (most - least + 1) * kRowStep + kPartGap };
  });

  const width = Math.max(...columns, 0) * kColumnStep + kNodeWidth;
  const heightMax = stripHeight(width, placed);
  const x = new Float32Array(count);
  const y = new Float32Array(count);
  let strip = 0;
  let top = 0;
  let height = 0;
  for (const { nodes, least, height: own } of placed) {
    if (top > 0 && top + own > heightMax) {
      strip++;
      top = 0;
    }
    for (const n of nodes) {
      x[n] = strip * (width + kStripGap) + columns[n]! * kColumnStep;
      y[n] = top + (rows[n]! - least) * kRowStep;
    }
    top += own;
    height = Math.max(height, top - kPartGap);
  }
  const bands = Array.from({ length: strip + 1 }, (_, index) =>
    [0, 1, 2]
      .filter((layer) => depths[layer]! > 0)
      .map((layer) => ({
        layer,
        left: index * (width + kStripGap) + first[layer]! * kColumnStep,
        right:
          index * (width + kStripGap) +
          (first[layer]! + depths[layer]! - 1) * kColumnStep +
          kNodeWidth,
      })),
  ).flat();
  return { x, y, bands, width: bands.at(-1)?.right ?? 0, height };
}

/** How high a strip may get: one holds all, unless that is far higher than wide. */
function stripHeight(width: number, placed: { height: number }[]): number {
  const height = placed.reduce((sum, part) => sum + part.height, 0);
  if (height <= width * kTallness) return height;
  return Math.sqrt((height * (width + kStripGap)) / kAspect);
}
