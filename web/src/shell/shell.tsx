// The frame around every page: navigation, project, connection, theme.
import type { ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { connection, listen, type Connection } from '../api/live';
import { Icon, type IconName } from '../parts/icon';
import { wordOf } from '../parts/status';
import logo from './lakemill.svg';
import { Banner } from './banner';
import { announce, Notices } from './notices';
import { pageAt, pages, type Page, type PageProps } from './pages';
import { project } from './project';
import { place } from './router';
import { choose, theme, type Theme } from './theme';

type Loaded = { page: Page; View: ComponentType<PageProps> };

const kConnectionWords: Record<Connection, string> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Not connected',
  resting: 'Resting',
};

const kThemes: [Theme, string, IconName][] = [
  ['system', 'As the system', 'system'],
  ['light', 'Light', 'sun'],
  ['dark', 'Dark', 'moon'],
];

function ThemeSwitch() {
  return (
    <fieldset class="theme-switch">
      <legend class="visually-hidden">Theme</legend>
      {kThemes.map(([value, label, icon]) => (
        <label key={value} title={label}>
          <input
            type="radio"
            name="theme"
            value={value}
            checked={theme.value === value}
            onChange={() => choose(value)}
          />
          <Icon name={icon} />
          <span class="visually-hidden">{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Navigation({ here }: { here: string }) {
  return (
    <nav aria-label="Pages">
      <ul>
        {pages.map(
          (page) =>
            page.menu && (
              <li key={page.path}>
                <a href={page.path} aria-current={here === page.path ? 'page' : undefined}>
                  <Icon name={page.menu.icon} />
                  <span>{page.menu.label}</span>
                </a>
              </li>
            ),
        )}
      </ul>
    </nav>
  );
}

function Sidebar({ here }: { here: string }) {
  const state = connection.value;
  return (
    <header class="sidebar">
      <a class="brand" href="/">
        <img src={logo} alt="" width="28" height="28" />
        <span>
          <strong>Lakemill</strong>
          <span class="project">{project.value?.project ?? '\u00a0'}</span>
        </span>
      </a>
      <Navigation here={here} />
      <div class="sidebar-foot">
        <p class={`connection connection-${state}`} data-testid="connection">
          <span class="connection-mark" aria-hidden="true" />
          {kConnectionWords[state]}
        </p>
        <ThemeSwitch />
        <p class="version">{project.value ? `Version ${project.value.version}` : '\u00a0'}</p>
      </div>
    </header>
  );
}

function useLoaded(page: Page | null): Loaded | 'fault' | null {
  const [loaded, setLoaded] = useState<Loaded | 'fault' | null>(null);
  useEffect(() => {
    if (!page) return;
    let isWanted = true;
    page.load().then(
      (module) => isWanted && setLoaded({ page, View: module.default }),
      () => isWanted && setLoaded('fault'),
    );
    return () => void (isWanted = false);
  }, [page]);
  return loaded;
}

function Missing() {
  return (
    <div class="empty">
      <h1 tabIndex={-1}>There is no such page</h1>
      <p>
        The address may be of another version. <a href="/">Go to the overview</a>.
      </p>
    </div>
  );
}

function announceEnds(): () => void {
  return listen((told) => {
    if (told.kind !== 'run' || told.run.status !== 'ended') return;
    announce(`Run of ${told.run.pipeline}: ${wordOf(told.run.outcome ?? 'ended')}`);
  });
}

export function Shell() {
  const { path, query } = place.value;
  const found = pageAt(path);
  const page = found?.page ?? null;
  const loaded = useLoaded(page);
  const main = useRef<HTMLElement>(null);
  const shownPath = useRef(path);
  const isReady = loaded !== null && loaded !== 'fault' && loaded.page === page;

  useEffect(announceEnds, []);
  useEffect(() => {
    const title = found ? found.page.title(found.params) : 'Not found';
    document.title = `${title} · ${project.value?.project ?? 'Lakemill'}`;
  });
  // Another page: a screen reader begins at its heading, and the view at its top.
  useEffect(() => {
    if (shownPath.current === path || (page && !isReady)) return;
    shownPath.current = path;
    window.scrollTo(0, 0);
    main.current?.querySelector('h1')?.focus({ preventScroll: true });
  }, [path, isReady]);

  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={() => main.current?.focus()}>
        Skip to content
      </a>
      <Sidebar here={page?.within ?? page?.path ?? ''} />
      <div class="content">
        <Banner />
        <main id="main" ref={main} tabIndex={-1}>
          {!found && <Missing />}
          {loaded === 'fault' && <p class="fault">This page could not be loaded. Reload it.</p>}
          {found && isReady && <loaded.View key={path} params={found.params} query={query} />}
        </main>
      </div>
      <Notices />
    </div>
  );
}
