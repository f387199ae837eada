// Parts of the web view that need no page: the layout of graphs, the frames of a stream.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(path.join(process.env.LAKEMILL_WEB_PACKAGES, 'cases.js'));
const { buildSync } = require('esbuild');
const sources = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../web/src');
const folder = mkdtempSync(path.join(os.tmpdir(), 'lakemill-units-'));
after(() => rmSync(folder, { recursive: true }));

/** A module of web/src, translated. */
function source(name) {
  const outfile = path.join(folder, `${name.replaceAll('/', '_')}.mjs`);
  buildSync({
    entryPoints: [path.join(sources, `${name}.ts`)],
    outfile,
    format: 'esm',
    bundle: true,
  });
  return import(pathToFileURL(outfile));
}

const { layOut, kNodeHeight, kNodeWidth } = await source('graph/layout');
const { FrameReader } = await source('api/frames');

/** A generator that gives the same numbers for the same seed. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomGraph(seed, count, edgeCount, isAcyclic) {
  const next = random(seed);
  const layers = Int8Array.from({ length: count }, (_, n) =>
    isAcyclic ? Math.floor((3 * n) / count) : next(4) - 1,
  );
  const edges = [];
  for (let e = 0; e < edgeCount; e++) {
    const a = next(count);
    const b = next(count);
    if (a !== b) edges.push(isAcyclic ? Math.min(a, b) : a, isAcyclic ? Math.max(a, b) : b);
  }
  return { layers, edges: Int32Array.from(edges) };
}

function mustNotOverlap({ x, y }) {
  const order = [...x.keys()].sort((a, b) => x[a] - x[b] || y[a] - y[b]);
  order.slice(1).forEach((node, index) => {
    const before = order[index];
    const isBeside = x[node] - x[before] >= kNodeWidth;
    assert.ok(isBeside || y[node] - y[before] >= kNodeHeight, `${before} and ${node} overlap`);
  });
}

test('no two nodes overlap, edges go from left to right, and layers are in order', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const graph = randomGraph(seed, 3 + 4 * seed, 5 * seed, true);
    const layout = layOut(graph);
    mustNotOverlap(layout);
    for (let e = 0; e < graph.edges.length; e += 2) {
      const [from, to] = [graph.edges[e], graph.edges[e + 1]];
      assert.ok(layout.x[from] < layout.x[to], `seed ${seed}: ${from} to ${to} goes back`);
    }
    assert.deepEqual(layOut(graph), layout, 'the same graph has another layout');
    assert.ok(Math.max(...layout.x) + kNodeWidth <= layout.width);
    assert.ok(Math.max(...layout.y) + kNodeHeight <= layout.height + 28);
  }
});

test('cycles, missing layers, lone nodes and no nodes are laid out too', () => {
  for (let seed = 1; seed <= 60; seed++) mustNotOverlap(layOut(randomGraph(seed, 40, 70, false)));
  mustNotOverlap(layOut({ layers: Int8Array.from([0, 0]), edges: Int32Array.from([0, 1, 1, 0]) }));
  mustNotOverlap(layOut({ layers: new Int8Array(700).fill(-1), edges: new Int32Array() }));
  assert.equal(layOut({ layers: new Int8Array(), edges: new Int32Array() }).bands.length, 0);
});

test('a chain of neighbours stands in one row', () => {
  const { y } = layOut({ layers: Int8Array.from([0, 1, 2]), edges: Int32Array.from([0, 1, 1, 2]) });
  assert.equal(new Set(y).size, 1);
});

test('frames are the same wherever the stream is cut', () => {
  const text =
    'id: 7\nevent: event\ndata: {"a":1}\n\n: beat\n\nevent: run\ndata: x\ndata:  y: z\n\nid: 8\n\n';
  const whole = [
    { kind: 'event', id: '7', data: '{"a":1}' },
    { kind: '', id: null, data: '' },
    { kind: 'run', id: null, data: 'x\n y: z' },
    { kind: '', id: '8', data: '' },
  ];
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second += 7) {
      const frames = [];
      const reader = new FrameReader((frame) => frames.push(frame));
      for (const part of [text.slice(0, first), text.slice(first, second), text.slice(second)]) {
        reader.push(part);
      }
      assert.deepEqual(frames, whole);
    }
  }
});
