// The set-up fails, so that every test of the file fails.
beforeAll(() => {
  throw new Error('agent is not reachable');
});

test('transfers to a nurse', () => {});
