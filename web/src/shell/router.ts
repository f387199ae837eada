// Where the person is: path and query of the address, as a signal. Links are plain <a>.
import { signal } from '@preact/signals';

export interface Place {
  path: string;
  query: URLSearchParams;
}

function placeNow(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export const place = signal<Place>(placeNow());

/** Goes to `href`, an address of this site. */
export function go(href: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', href);
  else history.replaceState(null, '', href);
  place.value = placeNow();
}

/** Changes parts of the query; null and empty take a part away. The page stays. */
export function setQuery(
  parts: Record<string, string | null>,
  how: 'push' | 'replace' = 'replace',
): void {
  const query = new URLSearchParams(place.peek().query);
  for (const [name, value] of Object.entries(parts)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(place.peek().path + (text ? `?${text}` : ''), how);
}

function followLink(click: MouseEvent): void {
  if (click.defaultPrevented || click.button !== 0) return;
  if (click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
  const link = (click.target as Element | null)?.closest('a');
  if (!link || link.target || link.hasAttribute('download')) return;
  const to = new URL(link.href, location.href);
  if (to.origin !== location.origin || link.getAttribute('href')?.startsWith('#')) return;
  if (to.pathname.startsWith('/api/')) return;
  click.preventDefault();
  if (to.href !== location.href) go(to.pathname + to.search + to.hash);
}

/** Follows links within the page and the browser's buttons. */
export function startRouter(): void {
  document.addEventListener('click', followLink);
  window.addEventListener('popstate', () => (place.value = placeNow()));
}
