// node scripts/test-counts.js REPORT: prints how many tests passed and failed, from vitest's JSON report.
import { readFile } from 'node:fs/promises';

const report = JSON.parse(await readFile(process.argv[2], 'utf8'));
// A file that cannot be loaded fails without any test of its own.
const broken = report.testResults.filter(({ status, assertionResults }) => {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
});
console.log(`${report.numPassedTests} passed, ${report.numFailedTests + broken.length} failed`);
