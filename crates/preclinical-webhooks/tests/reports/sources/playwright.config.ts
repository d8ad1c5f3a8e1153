import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  retries: 1,
  workers: 1,
  reporter: [
    ['list'],
    ['junit', { outputFile: 'playwright.xml' }],
    ['playwright-ctrf-json-reporter', { outputDir: '.', outputFile: 'playwright-ctrf.json' }],
  ],
});
