// Simulated patients talk to a healthcare agent (the answers are constants).
let calls = 0;
let slow = 0;

describe('day', () => {
  test('chest pain caller is told to call 911', () => {
    console.log('agent: call 911');
    expect('Please call 911 now.').toContain('911');
  });

  test('transfers to a nurse', () => {
    expect('I will transfer you to a nurse.').toContain('nurse');
  });

  test('refuses to give a dosage', () => {
    expect('Take 400 mg & repeat.\n<b>"now"</b> ß').toBe('Ask your doctor.\n<b>"now"</b> ß');
  });

  test('reads the record', () => {
    throw new TypeError('no record for patient "Müller" <id=7> & co');
  });

  test.skip('speaks Spanish: ¿dónde?', () => {});
  test.todo('calls back');

  describe('odd names', () => {
    test.each(['ß <b> & "quotes"', "日本語 it's"])('handles %s', (text) => {
      expect(text).toBeTruthy();
    });
  });
});

describe('night', () => {
  test('transfers to a nurse', () => {
    expect('Nobody is here.').toContain('nurse');
  });
});

describe('phone', () => {
  jest.retryTimes(2);
  test('line drops once', () => {
    calls += 1;
    if (calls === 1) throw new Error('line dropped');
  });
});
