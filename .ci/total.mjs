// Adds up the steps and the suites of .ci/run; the last line printed is the sum, the exit code 1 unless all is well.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory, ...suites] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

const steps = readFileSync(join(directory, 'steps'), 'utf8').trim().split('\n');
for (const step of steps) {
  const [code, ...words] = step.split(' ');
  const name = words.join(' ');
  if (suites.includes(name)) addSuite(name, Number(code));
  else if (code === '0') total.passed++;
  else fail(`${name} ended with ${code}`);
}
const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`;
print(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function addSuite(name, code) {
  const report = readReport(name);
  if (report === undefined) return fail(`${name} ended with ${code} and left no report`);
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  if (report.numTotalTests === 0) fail(`${name} ran no test`);
  // A file that cannot be loaded has no test to fail, and neither has an error outside of any.
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  for (const file of broken) fail(file.name);
  if (code !== 0 && report.numFailedTests + broken.length === 0) fail(`${name} ended with ${code}`);
}

function readReport(name) {
  try {
    return JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}

function fail(reason) {
  total.failed++;
  print(`failed: ${reason}`);
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
