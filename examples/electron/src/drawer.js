// The process that draws, on onnxruntime-node: all of the machine's processors, or its GPU.
import process from 'node:process';
import { serveOver } from './serve-over.js';

process.parentPort.on('message', ({ ports: [port] }) => serveOver(port));
