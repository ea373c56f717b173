// What `build-labextension` does, which looks for the versions of JupyterLab's own packages beside
// a JupyterLab; here they come from npm.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const core = path.join(__dirname, 'lib', 'core');
fs.mkdirSync(core, { recursive: true });
fs.copyFileSync(require.resolve('@jupyterlab/core-meta/core.package.json'), path.join(core, 'package.json'));
const builder = require.resolve('@jupyterlab/builder/lib/build-labextension.js');
execFileSync(process.execPath, [builder, '--core-path', core, __dirname], { stdio: 'inherit' });
