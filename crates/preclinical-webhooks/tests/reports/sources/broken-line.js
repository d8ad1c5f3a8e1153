// A provider with the three ways of going wrong: it throws, it answers with an error, it answers.
module.exports = class {
  id() {
    return 'broken-line';
  }
  async callApi(prompt) {
    if (prompt.includes('911')) throw new Error('line dropped: <b> & "q"');
    if (prompt.includes('400 mg')) return { error: 'agent answered with 503' };
    return { output: 'No answer.' };
  }
};
