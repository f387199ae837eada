// The canvas of the graph: painted when something changed, never otherwise.
import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../parts/icon';
import { colours } from '../shell/theme';
import { centred, fitted, followGestures, zoomed, type Camera } from './camera';
import { kNodeHeight, kNodeWidth, type Layout } from './layout';
import type { Model } from './model';
import { nodeAt, Painter, type Scene } from './painter';

interface GraphViewProps {
  model: Model;
  layout: Layout;
  lit: Uint8Array | null;
  selected: number;
  select: (node: number) => void;
}

const kTurnMs = 80; // between two pictures of what turns
const kPanPixels = 80;
const kScaleReadable = 0.45;
/** What the card of a node covers at the right. */
const kCardWidth = 310;

/** Owns the camera and the paint loop of one canvas. */
class Stage {
  camera: Camera = { x: 0, y: 0, scale: 1 };
  scene: Scene;
  private readonly painter: Painter;
  private frame = 0;
  private turn = 0;
  private isPainted = false;
  private readonly isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;

  constructor(
    readonly canvas: HTMLCanvasElement,
    scene: Scene,
  ) {
    this.scene = scene;
    this.painter = new Painter(canvas);
    this.fit();
  }

  show(scene: Scene): void {
    this.scene = scene;
    this.ask();
  }

  move(camera: Camera): void {
    this.camera = camera;
    this.ask();
  }

  takeColours(): void {
    this.painter.takeColours();
    this.ask();
  }

  fit(): void {
    const { clientWidth, clientHeight } = this.canvas;
    const { width, height } = this.scene.layout;
    this.move(
      fitted({ left: 0, top: 0, width, height }, clientWidth, clientHeight, kScaleReadable),
    );
  }

  /** All of it, however small that is. */
  fitAll(): void {
    const { clientWidth, clientHeight } = this.canvas;
    const { width, height } = this.scene.layout;
    this.move(fitted({ left: 0, top: 0, width, height }, clientWidth, clientHeight, 0));
  }

  zoom(factor: number): void {
    this.move(
      zoomed(this.camera, factor, this.canvas.clientWidth / 2, this.canvas.clientHeight / 2),
    );
  }

  pan(x: number, y: number): void {
    const { camera } = this;
    this.move({ ...camera, x: camera.x + x / camera.scale, y: camera.y + y / camera.scale });
  }

  /** Brings a node into view if it is not there. */
  reveal(node: number): void {
    const { camera, canvas } = this;
    const x = this.scene.layout.x[node]!;
    const y = this.scene.layout.y[node]!;
    const left = (x - camera.x) * camera.scale;
    const top = (y - camera.y) * camera.scale;
    const isSeen =
      camera.scale >= kScaleReadable &&
      left > 0 &&
      top > 30 &&
      left + kNodeWidth * camera.scale < canvas.clientWidth - kCardWidth &&
      top + kNodeHeight * camera.scale < canvas.clientHeight;
    if (isSeen) return;
    const { clientWidth, clientHeight } = canvas;
    const width = Math.max(clientWidth - kCardWidth, kNodeWidth);
    this.move(centred(camera, x + kNodeWidth / 2, y + kNodeHeight / 2, width, clientHeight));
  }

  at(x: number, y: number): number {
    const { camera, scene } = this;
    return nodeAt(scene.layout, camera.x + x / camera.scale, camera.y + y / camera.scale);
  }

  ask(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame((time) => this.paint(time));
  }

  end(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.turn);
    this.frame = -1;
  }

  private paint(timeMs: number): void {
    this.frame = 0;
    clearTimeout(this.turn);
    const moves = this.painter.paint(this.scene, this.camera, timeMs);
    if (!this.isPainted) performance.mark('graph-painted');
    this.isPainted = true;
    if (moves && !this.isStill) this.turn = window.setTimeout(() => this.ask(), kTurnMs);
  }
}

const kKeys: Record<string, (stage: Stage) => void> = {
  ArrowLeft: (stage) => stage.pan(-kPanPixels, 0),
  ArrowRight: (stage) => stage.pan(kPanPixels, 0),
  ArrowUp: (stage) => stage.pan(0, -kPanPixels),
  ArrowDown: (stage) => stage.pan(0, kPanPixels),
  '+': (stage) => stage.zoom(1.25),
  '=': (stage) => stage.zoom(1.25),
  '-': (stage) => stage.zoom(0.8),
  '0': (stage) => stage.fitAll(),
};

export function GraphView({ model, layout, lit, selected, select }: GraphViewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<Stage | null>(null);
  const latest = useRef(select);
  latest.current = select;

  useEffect(() => {
    const made = new Stage(canvas.current!, { model, layout, lit, selected, hovered: -1 });
    stage.current = made;
    const stopGestures = followGestures(canvas.current!, {
      camera: () => made.camera,
      move: (camera) => made.move(camera),
      press: (x, y) => latest.current(made.at(x, y)),
      hover: (x, y) => {
        const hovered = made.at(x, y);
        if (hovered === made.scene.hovered) return;
        made.canvas.classList.toggle('over-node', hovered >= 0);
        made.show({ ...made.scene, hovered });
      },
    });
    const sizes = new ResizeObserver(() => made.ask());
    sizes.observe(canvas.current!);
    const stopColours = effect(() => {
      if (colours.value > 0) made.takeColours();
    });
    return () => {
      stopGestures();
      sizes.disconnect();
      stopColours();
      made.end();
      stage.current = null;
    };
  }, [layout]);

  useEffect(() => {
    stage.current?.show({ ...stage.current.scene, model, layout, lit, selected });
  }, [model, layout, lit, selected]);
  useEffect(() => {
    if (selected >= 0) stage.current?.reveal(selected);
  }, [selected, layout]);

  return (
    <div
      class="graph-view"
      role="group"
      aria-label="Graph. Arrow keys move it, plus and minus zoom, 0 shows all. The list of nodes has the same."
      tabIndex={0}
      onKeyDown={(event) => {
        const act = kKeys[event.key];
        if (!act || !stage.current || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        act(stage.current);
      }}
    >
      <canvas ref={canvas} />
      <div class="graph-tools">
        <button aria-label="Zoom in" title="Zoom in" onClick={() => stage.current?.zoom(1.4)}>
          <Icon name="plus" />
        </button>
        <button aria-label="Zoom out" title="Zoom out" onClick={() => stage.current?.zoom(1 / 1.4)}>
          <Icon name="minus" />
        </button>
        <button aria-label="Show all" title="Show all" onClick={() => stage.current?.fitAll()}>
          <Icon name="fit" />
        </button>
      </div>
    </div>
  );
}
