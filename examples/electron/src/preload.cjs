// Hands the port from the main process to the page, which a sandboxed preload script may do, and nothing else.
const { ipcRenderer } = require('electron');

ipcRenderer.on('connect', (event) => window.postMessage('connect', '*', event.ports));
