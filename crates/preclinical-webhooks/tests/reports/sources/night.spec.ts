import { test, expect } from '@playwright/test';

test.describe('day', () => {
  test('transfers to a nurse', async () => {
    expect('Nobody is here.').toContain('nurse');
  });
});
