// Prints the closing line of a test run, and fails when a test was skipped: here every part is installed.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const skipped = report.numPendingTests + report.numTodoTests;
for (const file of report.testResults) {
  for (const test of file.assertionResults) {
    if (test.status !== 'passed') console.log(`${test.status}: ${file.name} > ${test.fullName}`);
  }
}
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
if (skipped > 0) console.error('a test was skipped although everything it may need is installed');
process.exitCode = skipped > 0 || report.numTotalTests === 0 ? 1 : 0;
