// Light, dark, or as the system says. The choice is kept in the browser.
import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const kKey = 'lakemill.theme';

function kept(): Theme {
  try {
    const word = localStorage.getItem(kKey);
    return word === 'light' || word === 'dark' ? word : 'system';
  } catch {
    return 'system'; // a browser may refuse storage
  }
}

export const theme = signal<Theme>(kept());

/** Grows by one whenever colours changed: what paints itself paints anew. */
export const colours = signal(0);

function show(): void {
  const { value } = theme;
  if (value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = value;
  colours.value = colours.peek() + 1;
}

export function choose(wish: Theme): void {
  theme.value = wish;
  try {
    if (wish === 'system') localStorage.removeItem(kKey);
    else localStorage.setItem(kKey, wish);
  } catch {
    // then it holds for this page only
  }
  show();
}

export function startTheme(): void {
  show();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
}
