// JUNIT_ALL=1: also what jest-junit leaves out by default.
const options = process.env.JUNIT_ALL
  ? { outputName: 'jest-junit-suite-errors.xml', reportTestSuiteErrors: 'true', includeConsoleOutput: 'true', suiteNameTemplate: '{filepath}', classNameTemplate: '{classname}', titleTemplate: '{title}' }
  : { outputName: 'jest-junit.xml' };

module.exports = {
  reporters: [
    'default',
    ['jest-junit', options],
    ['jest-ctrf-json-reporter', { outputFile: 'jest-ctrf.json', appName: 'agent', buildName: 'nightly' }],
  ],
};
