// A titled part of a page, and what stands in one that has nothing to show.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { ApiError } from '../api/client';
import { Icon } from './icon';

interface PanelProps {
  title?: string;
  /** The name of a panel without a title. */
  label?: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}

export function Panel({ title, label, aside, children }: PanelProps) {
  const id = useId();
  return (
    <section class="panel" aria-label={label} aria-labelledby={title && id}>
      {title && (
        <div class="panel-head">
          <h2 id={id}>{title}</h2>
          {aside && <div class="panel-aside">{aside}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Until the first answer: its fault, or that it is on its way. */
export function Waiting({ error }: { error: ApiError | null }) {
  if (!error) {
    return (
      <p class="waiting" aria-busy="true">
        Loading…
      </p>
    );
  }
  return <Fault title={error.title} text={error.detail} />;
}

/** What went wrong, in full; text keeps its lines. */
export function Fault({ title, text }: { title: string; text: string }) {
  return (
    <div class="fault" data-testid="fault">
      <Icon name="failed" />
      <div>
        <strong>{title}</strong>
        {text && <pre>{text}</pre>}
      </div>
    </div>
  );
}
