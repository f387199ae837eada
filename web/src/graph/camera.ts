// Which part of the plane is seen, and the gestures that move it.

export interface Camera {
  /** The point of the plane at the left top of the view. */
  x: number;
  y: number;
  /** Pixels of the view for one unit of the plane. */
  scale: number;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export const kScaleMin = 0.03;
export const kScaleMax = 2;
const kMargin = 36;

/** `camera` with another scale; the point at (atX, atY) of the view stays there. */
export function zoomed(camera: Camera, factor: number, atX: number, atY: number): Camera {
  const scale = Math.min(kScaleMax, Math.max(kScaleMin, camera.scale * factor));
  return {
    scale,
    x: camera.x + atX / camera.scale - atX / scale,
    y: camera.y + atY / camera.scale - atY / scale,
  };
}

/** Shows all of `box`; where that is too small to read, its upper part. */
export function fitted(box: Box, width: number, height: number, scaleLeast: number): Camera {
  const wide = (width - 2 * kMargin) / Math.max(1, box.width);
  const high = (height - 2 * kMargin) / Math.max(1, box.height);
  const all = Math.min(1, wide, high);
  const scale = Math.max(
    kScaleMin,
    all >= scaleLeast ? all : Math.max(scaleLeast, Math.min(1, wide)),
  );
  const spareX = Math.max(kMargin, (width - box.width * scale) / 2);
  const spareY = Math.max(kMargin, (height - box.height * scale) / 2);
  return { scale, x: box.left - spareX / scale, y: box.top - spareY / scale };
}

/** Puts (x, y) of the plane in the middle of the view. */
export function centred(
  camera: Camera,
  x: number,
  y: number,
  width: number,
  height: number,
): Camera {
  const scale = Math.max(camera.scale, 0.6);
  return { scale, x: x - width / 2 / scale, y: y - height / 2 / scale };
}

interface Gestures {
  camera: () => Camera;
  move: (camera: Camera) => void;
  /** A press that moved nothing, at a point of the view. */
  press: (x: number, y: number) => void;
  hover: (x: number, y: number) => void;
}

const kPressPixelsMax = 4;

/** Follows pointer and wheel on `element`; the answer ends that. */
export function followGestures(element: HTMLElement, gestures: Gestures): () => void {
  const pointers = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const at = (event: MouseEvent) => {
    const { left, top } = element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    moved = 0;
  };
  const drag = (event: PointerEvent) => {
    const now = at(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      gestures.hover(now.x, now.y);
      return;
    }
    const camera = gestures.camera();
    pointers.set(event.pointerId, now);
    moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const length = (p: { x: number; y: number }) => Math.hypot(p.x - other.x, p.y - other.y);
      const factor = length(now) / Math.max(1, length(before));
      gestures.move(zoomed(camera, factor, (now.x + other.x) / 2, (now.y + other.y) / 2));
    } else {
      gestures.move({
        ...camera,
        x: camera.x - (now.x - before.x) / camera.scale,
        y: camera.y - (now.y - before.y) / camera.scale,
      });
    }
  };
  const up = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId) || event.type === 'pointercancel') return;
    const { x, y } = at(event);
    if (moved <= kPressPixelsMax) gestures.press(x, y);
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const { x, y } = at(event);
    const camera = gestures.camera();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.ctrlKey || event.metaKey) {
      gestures.move(zoomed(camera, Math.exp(-event.deltaY * lines * 0.004), x, y));
    } else {
      const [across, along] = event.shiftKey ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
      gestures.move({
        ...camera,
        x: camera.x + (across * lines) / camera.scale,
        y: camera.y + (along * lines) / camera.scale,
      });
    }
  };
  element.addEventListener('pointerdown', down);
  element.addEventListener('pointermove', drag);
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', up);
  element.addEventListener('wheel', wheel, { passive: false });
  return () => {
    element.removeEventListener('pointerdown', down);
    element.removeEventListener('pointermove', drag);
    element.removeEventListener('pointerup', up);
    element.removeEventListener('pointercancel', up);
    element.removeEventListener('wheel', wheel);
  };
}
