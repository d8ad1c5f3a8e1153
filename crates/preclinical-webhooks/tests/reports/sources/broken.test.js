// The file cannot be loaded: Jest reports no single test of it.
require('./no-such-agent');

test('transfers to a nurse', () => {});
