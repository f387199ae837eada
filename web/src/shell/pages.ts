// All pages. Each is a chunk of its own, fetched when it is first shown; a new one is a
// line here.
import type { ComponentType } from 'preact';
import type { IconName } from '../parts/icon';

export interface PageProps {
  /** What the parts of the path in braces stand for. */
  params: Record<string, string>;
  query: URLSearchParams;
}

export interface Page {
  /** "/runs/{run}" */
  path: string;
  title: (params: Record<string, string>) => string;
  load: () => Promise<{ default: ComponentType<PageProps> }>;
  /** Stands in the navigation with this name and icon. */
  menu?: { label: string; icon: IconName };
  /** The path of the page in the navigation that this one belongs to. */
  within?: string;
}

export const pages: readonly Page[] = [
  {
    path: '/',
    title: () => 'Overview',
    load: () => import('../pages/overview'),
    menu: { label: 'Overview', icon: 'overview' },
  },
  {
    path: '/graph',
    title: () => 'Graph',
    load: () => import('../pages/graph'),
    menu: { label: 'Graph', icon: 'graph' },
  },
  {
    path: '/runs',
    title: () => 'Runs',
    load: () => import('../pages/runs'),
    menu: { label: 'Runs', icon: 'runs' },
  },
  {
    path: '/runs/{run}',
    title: () => 'Run',
    load: () => import('../pages/run'),
    within: '/runs',
  },
  {
    path: '/pipelines/{pipeline}',
    title: (params) => params['pipeline'] ?? 'Pipeline',
    load: () => import('../pages/pipeline'),
    within: '/',
  },
  {
    path: '/events',
    title: () => 'Events',
    load: () => import('../pages/events'),
    menu: { label: 'Events', icon: 'events' },
  },
];

/** The page at `path` and what its braces stand for. */
export function pageAt(path: string): { page: Page; params: Record<string, string> } | null {
  const words = path.replace(/\/+$/, '').split('/');
  for (const page of pages) {
    const pattern = page.path.replace(/\/+$/, '').split('/');
    if (pattern.length !== words.length) continue;
    const params: Record<string, string> = {};
    const fits = pattern.every((part, index) => {
      const word = words[index] ?? '';
      if (!part.startsWith('{')) return part === word;
      try {
        params[part.slice(1, -1)] = decodeURIComponent(word);
      } catch {
        return false;
      }
      return word !== '';
    });
    if (fits) return { page, params };
  }
  return null;
}
