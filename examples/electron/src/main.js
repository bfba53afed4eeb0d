// The app's main process: opens the window, and connects its page with the process that draws.
import path from 'node:path';
import { app, BrowserWindow, MessageChannelMain, utilityProcess } from 'electron';

const file = (/** @type {string} */ name) => path.join(import.meta.dirname, name);

await app.whenReady();
// A process of its own: drawing never blocks the window, and if it crashes, the app lives.
const drawer = utilityProcess.fork(file('drawer.js'), [], { serviceName: 'sd' });
const window = new BrowserWindow({
  width: 520,
  height: 640,
  webPreferences: { preload: file('preload.cjs') },
});
window.webContents.on('did-finish-load', () => {
  const { port1, port2 } = new MessageChannelMain();
  drawer.postMessage('connect', [port1]);
  window.webContents.postMessage('connect', null, [port2]);
});
await window.loadFile(path.join(import.meta.dirname, '../dist/index.html'));
app.on('window-all-closed', () => app.quit());
