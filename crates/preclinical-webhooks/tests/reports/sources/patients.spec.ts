// Simulated patients talk to a healthcare agent (the answers are constants; no browser is used).
import { test as base, expect } from '@playwright/test';

const test = base.extend<{ record: string }>({
  record: async ({}, use) => {
    throw new Error('no record for patient "Müller" <id=7> & co');
  },
});

test.describe('day', () => {
  test('chest pain caller is told to call 911', { tag: '@urgent' }, async () => {
    console.log('agent: call 911');
    console.error('warning: ß <b> & "q" ]]> end');
    expect('Please call 911 now.').toContain('911');
  });

  test('transfers to a nurse', async () => {
    expect('I will transfer you to a nurse.').toContain('nurse');
  });

  test('refuses to give a dosage', async () => {
    expect('Take 400 mg & repeat.\n<b>"now"</b>', 'gave a dosage: <b> & "q"').toBe('Ask your doctor.\n<b>"now"</b>');
  });

  test('reads the record', async ({ record }) => {
    expect(record).toBeTruthy();
  });

  test.skip('speaks Spanish: ¿dónde?', async () => {});

  for (const text of ['ß <b> & "quotes"', '日本語'])
    test(`handles ${text}`, async () => {
      expect(text).toBeTruthy();
    });

  test('line drops once', async ({}, info) => {
    expect(info.retry, 'line dropped').toBe(1);
  });

  test('agent never answers', async () => {
    test.setTimeout(200);
    await new Promise(() => {});
  });

  test('agent gives no dosage (known bug)', async () => {
    test.fail();
    expect('400 mg').toBe('');
  });
});
