import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A child process per file: the engine is opened once per process and is never unloaded.
    pool: 'forks',
    // Inference uses every core by itself.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
