// Paints the part of the graph that is seen, with as much detail as its scale can show.
import type { NodeState } from '../api/types';
import { count } from '../parts/format';
import { toneOf } from '../parts/status';
import type { Camera } from './camera';
import { kNodeHeight, kNodeWidth, type Layout } from './layout';
import type { Model } from './model';

export interface Scene {
  model: Model;
  layout: Layout;
  /** 1: shown in full, 0: faint; null: all in full. */
  lit: Uint8Array | null;
  selected: number;
  hovered: number;
}

/** Below these scales, names and everything but boxes are left out. */
const kScaleOfNames = 0.3;
const kScaleOfAll = 0.66;
const kScaleOfRows = 0.42;
const kScaleOfCurves = 0.12;
const kFaint = 0.22;
const kStripe = 4;
const kTextWidth = kNodeWidth - 58;
const kTwoPi = 2 * Math.PI;

/** "afar": names alone, larger, where all is small. */
type Font = 'name' | 'small' | 'afar' | 'rowsAfar';
const kRoughly = new Intl.NumberFormat(undefined, { notation: 'compact' });

const kLayerNames = ['Bronze', 'Silver', 'Gold'];
const kColourNames = [
  'surface',
  'ground',
  'sunken',
  'line',
  'line-strong',
  'edge',
  'text',
  'text-2',
  'text-3',
  'accent',
  'good',
  'bad',
  'busy',
  'warn',
  'calm',
  'bronze',
  'silver',
  'gold',
] as const;
type Colours = Record<(typeof kColourNames)[number], string>;

/** The style sheet's colours as they are now. */
function coloursOf(element: HTMLElement): Colours {
  const probe = document.createElement('span');
  element.append(probe);
  const colours = {} as Colours;
  for (const name of kColourNames) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colours;
}

/** Marks of states in a box of 16 × 16, filled and stroked as status icons are. */
const kMarks: Partial<Record<NodeState, { fill?: Path2D; stroke?: Path2D; inner?: Path2D }>> = {
  succeeded: {
    fill: new Path2D('M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z'),
    inner: new Path2D('M4.8 8.3 7 10.4l4.2-4.6'),
  },
  failed: {
    fill: new Path2D('M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z'),
    inner: new Path2D('m5.5 5.5 5 5m0-5-5 5'),
  },
  cancelled: {
    stroke: new Path2D('M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0zM3.8 12.2l8.4-8.4'),
  },
  blocked: { stroke: new Path2D('M2.5 8h11M4.5 4.5v7m7-7v7') },
  skipped: { stroke: new Path2D('m3 4 4 4-4 4m5.5-8 4 4-4 4') },
};

export class Painter {
  private readonly context: CanvasRenderingContext2D;
  private colours: Colours;
  private readonly fonts: Record<Font, string>;
  private readonly shortened = new Map<string, string>();

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext('2d', { alpha: false })!;
    this.colours = coloursOf(canvas.parentElement!);
    const family = getComputedStyle(canvas).fontFamily;
    this.fonts = {
      name: `600 13px ${family}`,
      small: `12px ${family}`,
      afar: `600 17px ${family}`,
      rowsAfar: `16px ${family}`,
    };
  }

  /** The theme changed. */
  takeColours(): void {
    this.colours = coloursOf(this.canvas.parentElement!);
  }

  /** Paints; whether something that moves by itself (a running node) is seen. */
  paint(scene: Scene, camera: Camera, timeMs: number): boolean {
    const { context, canvas, colours } = this;
    const ratio = devicePixelRatio;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (
      canvas.width !== Math.round(width * ratio) ||
      canvas.height !== Math.round(height * ratio)
    ) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = colours.ground;
    context.fillRect(0, 0, width, height);
    const view = {
      left: camera.x,
      top: camera.y,
      right: camera.x + width / camera.scale,
      bottom: camera.y + height / camera.scale,
    };
    const k = ratio * camera.scale;
    context.setTransform(k, 0, 0, k, -camera.x * k, -camera.y * k);
    this.paintBands(scene, camera, view);
    this.paintEdges(scene, camera, view);
    const moves = this.paintNodes(scene, camera, view, timeMs);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintHeads(scene, camera, width);
    return moves;
  }

  private paintBands({ layout }: Scene, camera: Camera, view: View): void {
    const { context, colours } = this;
    const line = 1 / camera.scale;
    layout.bands.forEach(({ layer, left }, index) => {
      if (index === 0) return;
      const isStrip = layer <= layout.bands[index - 1]!.layer;
      context.fillStyle = isStrip ? colours['line-strong'] : colours.line;
      context.fillRect(left - (isStrip ? 95 : 39), view.top, line, view.bottom - view.top);
    });
  }

  /** The names of layers stay at the top, whatever is seen below. */
  private paintHeads({ layout }: Scene, camera: Camera, width: number): void {
    const { context, colours } = this;
    context.font = this.fonts.small;
    context.textBaseline = 'middle';
    for (const { layer, left, right } of layout.bands) {
      const from = Math.max(10, (left - camera.x) * camera.scale);
      const to = Math.min(width, (right - camera.x) * camera.scale);
      const name = kLayerNames[layer]!;
      if (to - from < 64) continue;
      context.fillStyle = colours.ground;
      context.globalAlpha = 0.85;
      context.fillRect(from - 6, 6, context.measureText(name).width + 28, 22);
      context.globalAlpha = 1;
      context.fillStyle = [colours.bronze, colours.silver, colours.gold][layer]!;
      context.fillRect(from, 13, 9, 9);
      context.fillStyle = colours['text-2'];
      context.fillText(name, from + 15, 18);
    }
  }

  private paintEdges(scene: Scene, camera: Camera, view: View): void {
    const { context, colours } = this;
    const { edges } = scene.model;
    const faint = new Path2D();
    const full = new Path2D();
    const chosen = new Path2D();
    const labels: number[] = [];
    for (let e = 0; e < edges.length; e += 2) {
      const from = edges[e]!;
      const to = edges[e + 1]!;
      if (!this.isEdgeSeen(scene.layout, from, to, view)) continue;
      const isLit = !scene.lit || (scene.lit[from] === 1 && scene.lit[to] === 1);
      const isChosen = scene.selected >= 0 && isLit;
      addEdge(isChosen ? chosen : isLit ? full : faint, scene.layout, from, to, camera.scale);
      if (isLit && camera.scale >= kScaleOfRows) labels.push(e);
    }
    context.lineWidth = Math.max(1.3, 0.7 / camera.scale);
    context.strokeStyle = colours.edge;
    context.globalAlpha = kFaint;
    context.stroke(faint);
    context.globalAlpha = 1;
    context.stroke(full);
    context.strokeStyle = colours.accent;
    context.lineWidth = Math.max(1.8, 1 / camera.scale);
    context.stroke(chosen);
    this.paintRows(scene, labels, camera.scale);
  }

  private isEdgeSeen({ x, y }: Layout, from: number, to: number, view: View): boolean {
    return (
      Math.min(y[from]!, y[to]!) < view.bottom &&
      Math.max(y[from]!, y[to]!) + kNodeHeight > view.top &&
      Math.min(x[from]!, x[to]!) < view.right &&
      Math.max(x[from]!, x[to]!) + kNodeWidth > view.left
    );
  }

  /** How many rows edges carry, where they leave their node. */
  private paintRows({ model, layout }: Scene, labels: number[], scale: number): void {
    const { context, colours } = this;
    const isFull = scale >= kScaleOfAll;
    const height = isFull ? 16 : 20;
    context.font = isFull ? this.fonts.small : this.fonts.rowsAfar;
    context.textBaseline = 'middle';
    const done = new Set<number>();
    for (const e of labels) {
      const rows = model.rows[e / 2];
      const from = model.edges[e]!;
      if (rows === null || rows === undefined || done.has(from)) continue;
      done.add(from);
      const text = isFull ? count(rows) : kRoughly.format(rows);
      const x = layout.x[from]! + kNodeWidth + 5;
      const y = layout.y[from]! + kNodeHeight / 2;
      context.fillStyle = colours.ground;
      context.fillRect(x, y - height / 2, context.measureText(text).width + 6, height);
      context.fillStyle = colours['text-3'];
      context.fillText(text, x + 3, y + 0.5);
    }
  }

  private paintNodes(scene: Scene, camera: Camera, view: View, timeMs: number): boolean {
    const { x, y } = scene.layout;
    let moves = false;
    for (let n = 0; n < x.length; n++) {
      if (y[n]! > view.bottom || y[n]! + kNodeHeight < view.top) continue;
      if (x[n]! > view.right || x[n]! + kNodeWidth < view.left) continue;
      this.context.globalAlpha = scene.lit && scene.lit[n] === 0 ? kFaint : 1;
      if (camera.scale < kScaleOfNames) this.paintBox(scene, n);
      else this.paintNode(scene, n, camera.scale, timeMs);
      moves ||= scene.model.nodes[n]!.state === 'running' && camera.scale >= kScaleOfNames;
    }
    this.context.globalAlpha = 1;
    return moves;
  }

  private layerColour({ model }: Scene, n: number): string {
    const { layer } = model.nodes[n]!;
    const { bronze, silver, gold, calm } = this.colours;
    return layer === 'BRONZE'
      ? bronze
      : layer === 'SILVER'
        ? silver
        : layer === 'GOLD'
          ? gold
          : calm;
  }

  /** A node from afar: its layer, or its state where that matters. */
  private paintBox(scene: Scene, n: number): void {
    const { context, colours } = this;
    const { state } = scene.model.nodes[n]!;
    const x = scene.layout.x[n]!;
    const y = scene.layout.y[n]!;
    const isCalm = state === 'succeeded' || state === 'none' || state === 'skipped';
    context.fillStyle = isCalm ? colours.surface : colours[toneOf(state)];
    context.fillRect(x, y, kNodeWidth, kNodeHeight);
    context.fillStyle = this.layerColour(scene, n);
    context.fillRect(x, y, isCalm ? kNodeWidth * 0.16 : kNodeWidth * 0.08, kNodeHeight);
    if (n === scene.selected) {
      context.strokeStyle = colours.accent;
      context.lineWidth = 10;
      context.strokeRect(x - 8, y - 8, kNodeWidth + 16, kNodeHeight + 16);
    }
  }

  private paintNode(scene: Scene, n: number, scale: number, timeMs: number): void {
    const { context, colours } = this;
    const node = scene.model.nodes[n]!;
    const x = scene.layout.x[n]!;
    const y = scene.layout.y[n]!;
    const tone = colours[toneOf(node.state)];
    const isLoud = node.state === 'failed' || node.state === 'running';
    context.beginPath();
    context.roundRect(x, y, kNodeWidth, kNodeHeight, 7);
    context.fillStyle = colours.surface;
    context.fill();
    context.save();
    context.clip();
    context.fillStyle = this.layerColour(scene, n);
    context.fillRect(x, y, kStripe, kNodeHeight);
    context.restore();
    context.lineWidth = n === scene.selected || isLoud ? 2 : 1;
    context.strokeStyle =
      n === scene.selected ? colours.accent : isLoud ? tone : colours['line-strong'];
    if (n === scene.hovered && !isLoud) context.strokeStyle = colours.accent;
    context.stroke();

    const isFull = scale >= kScaleOfAll;
    context.textBaseline = 'middle';
    const font = isFull ? 'name' : 'afar';
    context.font = this.fonts[font];
    context.fillStyle = colours.text;
    context.fillText(this.fit(node.name, font), x + 15, y + (isFull ? 16 : kNodeHeight / 2 + 1));
    if (isFull) {
      context.font = this.fonts.small;
      context.fillStyle = colours['text-3'];
      context.fillText(this.fit(node.pipeline, 'small'), x + 15, y + 32);
    }
    this.paintMark(node.state, tone, x + kNodeWidth - 28, y + kNodeHeight / 2 - 8, timeMs);
  }

  private paintMark(state: NodeState, tone: string, x: number, y: number, timeMs: number): void {
    const { context, colours } = this;
    context.save();
    context.translate(x, y);
    context.lineWidth = 1.6;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.strokeStyle = tone;
    context.fillStyle = tone;
    const mark = kMarks[state];
    if (mark?.fill) context.fill(mark.fill);
    if (mark?.stroke) context.stroke(mark.stroke);
    if (mark?.inner) {
      context.strokeStyle = colours.surface;
      context.stroke(mark.inner);
    }
    if (state === 'running') {
      const angle = (timeMs / 1_100) * kTwoPi;
      context.globalAlpha *= 0.3;
      context.beginPath();
      context.arc(8, 8, 6.2, 0, kTwoPi);
      context.stroke();
      context.globalAlpha /= 0.3;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(8, 8, 6.2, angle, angle + kTwoPi / 3);
      context.stroke();
    } else if (state === 'none') {
      context.strokeStyle = colours['line-strong'];
      context.setLineDash([2.4, 2.5]);
      context.beginPath();
      context.arc(8, 8, 6.2, 0, kTwoPi);
      context.stroke();
    }
    context.restore();
  }

  /** `text`, cut to the width of a node. */
  private fit(text: string, font: Font): string {
    const key = font + text;
    const known = this.shortened.get(key);
    if (known !== undefined) return known;
    const { context } = this;
    let shown = text;
    if (context.measureText(text).width > kTextWidth) {
      let least = 1;
      let most = text.length;
      while (least < most) {
        const middle = (least + most + 1) >> 1;
        if (context.measureText(`${text.slice(0, middle)}…`).width <= kTextWidth) least = middle;
        else most = middle - 1;
      }
      shown = `${text.slice(0, least)}…`;
    }
    this.shortened.set(key, shown);
    return shown;
  }
}

interface View {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A curve from the right side of one node to the left side of another. */
function addEdge(path: Path2D, { x, y }: Layout, from: number, to: number, scale: number): void {
  const startX = x[from]! + kNodeWidth;
  const startY = y[from]! + kNodeHeight / 2;
  const endX = x[to]!;
  const endY = y[to]! + kNodeHeight / 2;
  path.moveTo(startX, startY);
  if (scale < kScaleOfCurves) {
    path.lineTo(endX, endY);
    return;
  }
  // Backwards or within a column: out to the side and round.
  const reach = endX > startX ? Math.max(40, (endX - startX) / 2) : 90;
  path.bezierCurveTo(startX + reach, startY, endX - reach, endY, endX, endY);
}

/** The node at a point of the plane, or -1. */
export function nodeAt({ x, y }: Layout, atX: number, atY: number): number {
  for (let n = x.length - 1; n >= 0; n--) {
    if (atX >= x[n]! && atX <= x[n]! + kNodeWidth && atY >= y[n]! && atY <= y[n]! + kNodeHeight) {
      return n;
    }
  }
  return -1;
}
