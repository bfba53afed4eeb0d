export { type ConformanceCase, ConformanceError, conforms, rejection } from './conformance.js';
