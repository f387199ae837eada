// The wire format of server-sent events, cut into frames.

export interface Frame {
  /** "event", "run", "pipelines", or "" for a comment. */
  kind: string;
  id: string | null;
  data: string;
}

/**
 * Takes the text of a stream in pieces and calls `take` for each whole frame. Comments
 * are frames without a kind, so that a beat shows that the connection lives.
 */
export class FrameReader {
  private rest = '';

  constructor(private readonly take: (frame: Frame) => void) {}

  push(text: string): void {
    this.rest += text;
    for (;;) {
      const end = this.rest.indexOf('\n\n');
      if (end < 0) return;
      const block = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + 2);
      this.take(frameOf(block));
    }
  }
}

function frameOf(block: string): Frame {
  const frame: Frame = { kind: '', id: null, data: '' };
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    const name = line.slice(0, colon);
    if (name === 'event') frame.kind = value;
    else if (name === 'id') frame.id = value;
    else if (name === 'data') data.push(value);
  }
  frame.data = data.join('\n');
  if (data.length > 0 && frame.kind === '') frame.kind = 'message';
  return frame;
}
