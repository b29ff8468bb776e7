import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A child process per file: the engine is opened once per process and is never unloaded.
    pool: 'forks',
    // Inference uses every core by itself.
    maxWorkers: 2,
    // Against what hangs, not against what is slow: beside other work the tests take many times as long.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
