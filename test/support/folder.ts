/** A folder of a test file's own. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'

/** A function to paths in a folder that is there while the tests of the file, or of the `describe`, run. */
export function temporaryFolder(): (...names: string[]) => string {
  const folder = join(tmpdir(), `z1-test-${randomBytes(8).toString('hex')}`)
  beforeAll(() => {
    mkdirSync(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  return (...names) => join(folder, ...names)
}
