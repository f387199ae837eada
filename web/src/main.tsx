import { render } from 'preact';
import { start } from './api/live';
import { startProject } from './shell/project';
import { startRouter } from './shell/router';
import { Shell } from './shell/shell';
import { startTheme } from './shell/theme';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/pages.css';
import './styles/graph.css';

startTheme();
startRouter();
startProject();
start();
render(<Shell />, document.getElementById('app')!);
